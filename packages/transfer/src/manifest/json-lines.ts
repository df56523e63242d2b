import type { FormParser } from './form.ts'
import { parseJsonObject } from './json-row.ts'
import { RecordSplitter } from './records.ts'
import type { Rows } from './rows.ts'

/** JSON Lines: one object per line; blank lines are skipped. */
export function createJsonLinesParser(rows: Rows): FormParser {
  return new RecordSplitter({
    record(text, line) {
      if (text.trim() !== '') rows.add(line, () => parseJsonObject(text))
    },
    unreadable: (problem, line) => rows.bad(line, problem),
  })
}
