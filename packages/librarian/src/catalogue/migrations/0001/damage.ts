import { copyStates, type Words } from './words.ts'

/** Copies that were found bad, and their repair. */
export function damageTables(words: Words): string[] {
  const { id, key, text, integer, bit, maybe, instant, size, count, hex, oneOf, table } = words
  return [
    table(
      'corrupt_file',
      id,
      text('file_name'),
      text('file_source'),
      `${integer('instance_id')} UNIQUE`,
      text('instance_path'),
      instant('corrupt_time'),
      size('size'),
      text('checksum'),
      count('count'),
      bit('replacement_requested', 0),
      maybe(integer('incoming_transfer_id')),
    ),

    table(
      'repair',
      `${key('id')} CHECK (length(id) = 32)`,
      oneOf('state', ['begun', 'replacing', 'done', 'failed', 'purging', 'purged']),
      text('holder'),
      integer('instance_id'),
      text('file_name'),
      integer('store_id'),
      text('path'),
      oneOf('found', copyStates),
      maybe(text('source')),
      maybe(hex('sha256', 64)),
      text('actor'),
      instant('started'),
      maybe(instant('ended')),
    ),
    `CREATE UNIQUE INDEX repair_live ON repair (instance_id) WHERE state IN ('begun','replacing')`,
    'CREATE INDEX repair_state ON repair (state, ended, id)',
    'CREATE INDEX repair_file ON repair (file_name, started)',
  ]
}
