/**
 * What is wrong with fields that a schema refuses, field by field, in the words that all of the server has for it.
 */
import * as SchemaIssue from "effect/SchemaIssue"

const leafHook: SchemaIssue.LeafHook = (issue) => {
  switch (issue._tag) {
    case "MissingKey":
      return "is missing"
    case "UnexpectedKey":
      return "is not known"
    default:
      return SchemaIssue.defaultLeafHook(issue)
  }
}

export const format = SchemaIssue.makeFormatterStandardSchemaV1({ leafHook })
