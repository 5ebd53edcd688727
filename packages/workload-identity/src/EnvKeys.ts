/**
 * The names of the environment variables of a Coze workload, each equal to its value. Those without a sentence of their
 * own are set by the platform for other programs and listed so that nobody has to spell them.
 *
 * @since 0.1.0
 */

/**
 * The client id of the workload. Required.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_WORKLOAD_IDENTITY_CLIENT_ID = "COZE_WORKLOAD_IDENTITY_CLIENT_ID"

/**
 * The client secret of the workload. Required, unless there is a file with it.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_WORKLOAD_IDENTITY_CLIENT_SECRET = "COZE_WORKLOAD_IDENTITY_CLIENT_SECRET"

/**
 * The path of a file with the client secret, read again while the workload runs so that the secret can be rotated. When it is
 * set, `COZE_WORKLOAD_IDENTITY_CLIENT_SECRET` is not looked at.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_WORKLOAD_IDENTITY_CLIENT_SECRET_FILE = "COZE_WORKLOAD_IDENTITY_CLIENT_SECRET_FILE"

/**
 * Where the id token is asked for. Required.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT = "COZE_WORKLOAD_IDENTITY_TOKEN_ENDPOINT"

/**
 * Where the id token is traded for an access token. Required.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT = "COZE_WORKLOAD_ACCESS_TOKEN_ENDPOINT"

/**
 * Where integration credentials and project variables are asked for.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_OUTBOUND_AUTH_ENDPOINT = "COZE_OUTBOUND_AUTH_ENDPOINT"

/**
 * The lane of the workload.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_SERVER_ENV = "COZE_SERVER_ENV"

/**
 * The proxy in front of third parties.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_OUTBOUND_AUTH_PROXY = "COZE_OUTBOUND_AUTH_PROXY"

/**
 * The ticket that proxy asks for.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const identity_ticket = "identity_ticket"

/**
 * Certificates that proxy is trusted by, as text.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_OUTBOUND_AUTH_PROXY_CA = "COZE_OUTBOUND_AUTH_PROXY_CA"

/**
 * Certificates that proxy is trusted by, as a path.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_OUTBOUND_AUTH_PROXY_CA_PATH = "COZE_OUTBOUND_AUTH_PROXY_CA_PATH"

/**
 * The discovery URL of OIDC. Named for programs that read it: this library does not.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_AUTH_OIDC_DISCOVERY_URL = "COZE_AUTH_OIDC_DISCOVERY_URL"

/**
 * The client id of OIDC. Named for programs that read it: this library does not.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_AUTH_OIDC_CLIENT_ID = "COZE_AUTH_OIDC_CLIENT_ID"

/**
 * The client secret of OIDC. Named for programs that read it: this library does not.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_AUTH_OIDC_CLIENT_SECRET = "COZE_AUTH_OIDC_CLIENT_SECRET"

/**
 * The secret of sessions. Named for programs that read it: this library does not.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_AUTH_SESSION_SECRET = "COZE_AUTH_SESSION_SECRET"

/**
 * The API token of CozeLoop. Named for programs that read it: this library does not.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_LOOP_API_TOKEN = "COZE_LOOP_API_TOKEN"

/**
 * The id of the project. Named for programs that read it: this library does not.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_PROJECT_ID = "COZE_PROJECT_ID"

/**
 * The id of the space of the project. Named for programs that read it: this library does not.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_PROJECT_SPACE_ID = "COZE_PROJECT_SPACE_ID"

/**
 * The environment of the project. Named for programs that read it: this library does not.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_PROJECT_ENV = "COZE_PROJECT_ENV"

/**
 * The base URL of integrations. Named for programs that read it: this library does not.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const COZE_INTEGRATION_BASE_URL = "COZE_INTEGRATION_BASE_URL"

/**
 * The lane that means none.
 *
 * @stability stable
 * @category environment
 * @since 0.1.0
 */
export const DEFAULT_COZE_SERVER_ENV = "NONE"
