/**
 * What a `Platform`, a `CozeOAuth` or another of the servers here saw of one request.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * What was asked for: `idToken` and `accessToken` are the two steps of the exchange, told from `grant_type`;
 * `integrationCredential` and `projectEnvVars` are the outbound calls, told from the path.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Step = "idToken" | "accessToken" | "integrationCredential" | "projectEnvVars"

/**
 * One request, as it arrived. `outcome` is `answered` once the last byte of the answer has left and `closed` when the
 * client closed the connection before that. `jwtBearer` is what `CozeOAuth` is asked for,
 * `token` and `resource` what `CognitoApi`, `WeChat` and `GitHub` are.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export class RecordedRequest extends Data.Class<{
  readonly id: number
  readonly step: Step | "jwtBearer" | "token" | "resource" | "other"
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The body as text. */
  readonly body: string
  /** The form fields of the body, in the order they were sent. */
  readonly form: ReadonlyArray<readonly [name: string, value: string]>
  readonly outcome: "pending" | "answered" | "closed"
}> {
  /** The first value of a form field. */
  field(name: string): string | undefined {
    return this.form.find(([key]) => key === name)?.[1]
  }
}
