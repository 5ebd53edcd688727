/**
 * Who is compared.
 */
import type { Client } from "./Client.ts"
import { anthropic } from "./clients/Anthropic.ts"
import { badgateway } from "./clients/Badgateway.ts"
import { google } from "./clients/Google.ts"
import { msal } from "./clients/Msal.ts"
import { openAi } from "./clients/OpenAi.ts"
import { openidClient } from "./clients/OpenidClient.ts"
import { ours } from "./clients/Ours.ts"
import { simpleOauth2 } from "./clients/SimpleOauth2.ts"

export const clients: ReadonlyArray<Client> = [
  ours,
  google,
  msal,
  openidClient,
  simpleOauth2,
  badgateway,
  openAi,
  anthropic
]
