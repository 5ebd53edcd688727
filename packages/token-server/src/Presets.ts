/**
 * What known providers want, so that a realm need not say it.
 *
 * @since 0.1.0
 */
import type { presets as names, RealmConfig } from "./RealmConfig.ts"

/**
 * What a preset fills in, and what the secret of its realms holds.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Preset {
  readonly title: string
  /** What the secret has under each name. */
  readonly keys: Readonly<Record<string, string>>
  readonly config: Omit<RealmConfig, "preset">
}

const whereOAuthTells = { token_path: "access_token", expires_in_path: "expires_in" } as const

/** A quarter of the life that the token before still has when WeChat gives a new one, and what it says then. */
const weChat = {
  ...whereOAuthTells,
  overlap_ms: 300_000,
  errors: [{ path: "errcode", success: [0], retryable: [-1, 45_011, 50_002] }]
} as const

/**
 * The presets.
 *
 * @example
 * ```ts
 * import { Presets } from "@effect-identity/token-server"
 *
 * Presets.presets.wecom.keys // => { key_1: "corpid", key_2: "corpsecret" }
 * ```
 *
 * @stability unstable
 * @category constants
 * @since 0.1.0
 */
export const presets: Readonly<Record<(typeof names)[number], Preset>> = {
  wecom: {
    title: "WeCom, an app of a company's own",
    keys: { key_1: "corpid", key_2: "corpsecret" },
    config: {
      url: "https://qyapi.weixin.qq.com/cgi-bin/gettoken",
      method: "GET",
      arguments: [
        { name: "corpid", place: "url", value: "$key_1" },
        { name: "corpsecret", place: "url", value: "$key_2" }
      ],
      ...whereOAuthTells,
      errors: [{ path: "errcode", success: [0], retryable: [-1, 45_009, 45_033, 50_002] }]
    }
  },
  wechat: {
    title: "WeChat official account",
    keys: { key_1: "appid", key_2: "secret" },
    config: {
      url: "https://api.weixin.qq.com/cgi-bin/token",
      method: "GET",
      arguments: [
        { name: "grant_type", place: "url", value: "client_credential" },
        { name: "appid", place: "url", value: "$key_1" },
        { name: "secret", place: "url", value: "$key_2" }
      ],
      ...weChat
    }
  },
  wechat_stable: {
    title: "WeChat official account, stable token",
    keys: { key_1: "appid", key_2: "secret" },
    config: {
      url: "https://api.weixin.qq.com/cgi-bin/stable_token",
      method: "POST",
      content_type: "json",
      arguments: [
        { name: "grant_type", place: "body", value: "client_credential" },
        { name: "appid", place: "body", value: "$key_1" },
        { name: "secret", place: "body", value: "$key_2" },
        { name: "force_refresh", place: "body", value: true, when: "forced" }
      ],
      ...weChat,
      // It forces 20 times a day, and not within 30 seconds of the last time.
      refresh_budget: { limit: 1, window_ms: 4_320_000 }
    }
  },
  client_credentials: {
    title: "OAuth 2.0 client credentials",
    keys: { key_1: "client id", key_2: "client secret" },
    config: {
      method: "POST",
      content_type: "form",
      arguments: [{ name: "grant_type", place: "body", value: "client_credentials" }],
      client_authentication: { method: "client_secret_post", client_id: "$key_1", client_secret: "$key_2" },
      ...whereOAuthTells,
      expires_in: 300
    }
  },
  coze_workload: {
    title: "Coze workload identity",
    keys: { key_1: "client id", key_2: "client secret" },
    config: {
      method: "POST",
      content_type: "form",
      arguments: [{ name: "grant_type", place: "body", value: "client_credentials" }],
      client_authentication: { method: "client_secret_post", client_id: "$key_1", client_secret: "$key_2" },
      ...whereOAuthTells
    }
  },
  coze_jwt: {
    title: "Coze OAuth app that signs JWTs",
    keys: { key_1: "app id", key_2: "fingerprint of the public key", key_3: "private key" },
    config: {
      url: "https://api.coze.cn/api/permission/oauth2/token",
      method: "POST",
      content_type: "json",
      arguments: [
        { name: "grant_type", place: "body", value: "urn:ietf:params:oauth:grant-type:jwt-bearer" },
        { name: "duration_seconds", place: "body", value: 900 }
      ],
      client_authentication: {
        method: "bearer_jwt",
        issuer: "$key_1",
        key_id: "$key_2",
        private_key: "$key_3",
        audience: "api.coze.cn"
      },
      ...whereOAuthTells,
      expires_in_unit: "unix_seconds",
      errors: [{ path: "error" }, { path: "error_code", retryable: ["internal_error"] }, { path: "code" }]
    }
  },
  github_app: {
    title: "GitHub App installation",
    keys: { key_1: "app id or client id", key_2: "installation id", key_3: "private key" },
    config: {
      url: "https://api.github.com/app/installations/{installation}/access_tokens",
      method: "POST",
      content_type: "json",
      arguments: [
        { name: "installation", place: "path", value: "$key_2" },
        { name: "accept", place: "header", value: "application/vnd.github+json" },
        { name: "user-agent", place: "header", value: "effect-identity-token-server" },
        { name: "x-github-api-version", place: "header", value: "2022-11-28" }
      ],
      client_authentication: {
        method: "bearer_jwt",
        issuer: "$key_1",
        private_key: "$key_3",
        lifetime_seconds: 540,
        backdate_seconds: 60
      },
      token_path: "token",
      expires_in_path: "expires_at",
      expires_in_unit: "date_time"
    }
  },
  fixed: {
    title: "A token that does not change",
    keys: { key_1: "token" },
    config: {}
  }
}

const placeOf = ({ name, place }: NonNullable<RealmConfig["arguments"]>[number]): string => `${place} ${name}`

/**
 * A config with what its preset fills in. What the config says goes before it, arguments one by one.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const fillIn = (config: RealmConfig): RealmConfig => {
  if (config.preset === undefined) return config
  const standard = presets[config.preset].config
  const given = config.arguments ?? []
  const places = new Set(given.map(placeOf))
  const all = [...(standard.arguments ?? []).filter((each) => !places.has(placeOf(each))), ...given]
  return { ...standard, ...config, ...(all.length > 0 && { arguments: all }) }
}
