import type { Words } from './words.ts'

/** What processes agree on. */
export function coordinationTables(words: Words): string[] {
  const { key, text, bit, instant, count, table } = words
  return [
    table('lease', key('resource'), text('holder'), count('token'), instant('expires')),

    table('setting', key('key'), text('value')),

    table('outcome', key('id'), instant('time'), bit('is_committed')),
    'CREATE INDEX outcome_time ON outcome (time)',
  ]
}
