/**
 * What is compared, in the order of the table.
 */
import type { Scenario } from "./Scenario.ts"
import { answers } from "./scenarios/Answers.ts"
import { demand } from "./scenarios/Demand.ts"
import { outage } from "./scenarios/Outage.ts"
import { refusal } from "./scenarios/Refusal.ts"
import { surroundings } from "./scenarios/Surroundings.ts"

const all: Readonly<Record<string, Scenario>> = { ...demand, ...outage, ...refusal, ...answers, ...surroundings }

export const scenarios: ReadonlyArray<readonly [id: string, scenario: Scenario]> = Object.entries(all)
  .toSorted(([one], [other]) => Number.parseInt(one, 10) - Number.parseInt(other, 10) || one.localeCompare(other))
