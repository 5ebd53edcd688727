/**
 * What the token cache and the token endpoint count. Effect's own exporters (OTLP, Prometheus) send it wherever they are told to.
 *
 * No metric carries a key, a client or an address: they tell how the cache fares, not whose tokens it holds.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * Tokens handed out, by `reason`: `hit` (fresh), `stale-hit` (valid, and being replaced in the background), `miss`,
 * `refresh`, `forced` and `rejected` (the flight that was waited for).
 *
 * @stability unstable
 * @category metrics
 * @since 0.1.0
 */
export const answers = Metric.counter("token_cache.answers", {
  description: "Tokens handed out",
  incremental: true
})

/**
 * Requests for a new token that came to an end, by `reason` (`miss`, `refresh`, `forced`, `rejected`) and `outcome`
 * (`success`, `failure`, `interrupted`). Failures carry `error.type`, the tag of their reason.
 *
 * @stability unstable
 * @category metrics
 * @since 0.1.0
 */
export const flights = Metric.counter("token_cache.flights", {
  description: "Requests for a new token that came to an end",
  incremental: true
})

/**
 * Seconds a flight took, by `reason` and `outcome`.
 *
 * @stability unstable
 * @category metrics
 * @since 0.1.0
 */
export const flightDuration = Metric.histogram("token_cache.flight.duration", {
  description: "Time a request for a new token took",
  attributes: { unit: "s" },
  boundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
})

/**
 * Seconds of life a token had left when it was handed out. Of the hits within one turn of the event loop, the first stands for
 * itself and one for all that follow.
 *
 * @stability unstable
 * @category metrics
 * @since 0.1.0
 */
export const remainingLifetime = Metric.histogram("token_cache.remaining_lifetime", {
  description: "Life a token had left when it was handed out",
  attributes: { unit: "s" },
  boundaries: [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 21_600, 86_400]
})

/**
 * When a flight last succeeded, in seconds since the Unix epoch: the time since then is the scraper's clock less this.
 *
 * @stability unstable
 * @category metrics
 * @since 0.1.0
 */
export const lastSuccess = Metric.gauge("token_cache.last_success", {
  description: "When a request for a new token last succeeded, since the Unix epoch",
  attributes: { unit: "s" }
})

/**
 * Requests that reached out for a token endpoint, by `operation` (`clientCredentials`, `tokenExchange`, `jwtBearer`) and `outcome`
 * (`success`, `failure`, `interrupted`), repetitions included. Failures carry `error.type`, the tag of their reason. Some
 * issuers (Cognito) charge for each one that succeeds.
 *
 * @stability unstable
 * @category metrics
 * @since 0.1.0
 */
export const requests = Metric.counter("token_endpoint.requests", {
  description: "Requests to a token endpoint",
  incremental: true
})
