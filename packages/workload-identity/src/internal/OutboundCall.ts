/**
 * One of the calls that a token opens.
 */
export interface OutboundCall {
  readonly step: "integrationCredential" | "projectEnvVars"
  /** How messages call what was asked for. */
  readonly what: string
}
