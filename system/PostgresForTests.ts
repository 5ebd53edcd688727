/**
 * The PostgreSQL on which the tests of the token server run once more.
 */
import * as Postgres from "./Postgres.ts"

export const setup = async (): Promise<() => Promise<void>> => {
  const postgres = await Postgres.start()
  process.env["TOKEN_SERVER_TEST_DATABASE_URL"] = postgres.create("tests")
  return postgres.stop
}
