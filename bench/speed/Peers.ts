/**
 * Who is measured, in the order of the table.
 */
import type { Peer } from "./Peer.ts"
import { peer as anthropic } from "./peers/Anthropic.ts"
import { peer as azure } from "./peers/Azure.ts"
import { peer as badgateway } from "./peers/Badgateway.ts"
import { peer as byHand } from "./peers/ByHand.ts"
import { peer as byHandFetch } from "./peers/ByHandFetch.ts"
import { peer as coze } from "./peers/Coze.ts"
import { peer as google } from "./peers/Google.ts"
import { peer as msal } from "./peers/Msal.ts"
import { peer as oauth4webapi } from "./peers/Oauth4webapi.ts"
import { peer as openAi } from "./peers/OpenAi.ts"
import { peer as openidClient } from "./peers/OpenidClient.ts"
import { peer as ours } from "./peers/Ours.ts"
import { peer as simpleOauth2 } from "./peers/SimpleOauth2.ts"
import { peer as smithy } from "./peers/Smithy.ts"

export { byHand, byHandFetch, ours }

/** The libraries that people use instead. */
export const libraries: ReadonlyArray<Peer> = [
  google,
  azure,
  msal,
  openidClient,
  oauth4webapi,
  simpleOauth2,
  badgateway,
  smithy,
  coze,
  openAi,
  anthropic
]

export const all: ReadonlyArray<Peer> = [byHand, byHandFetch, ours, ...libraries]
