import { kinds, policies, type Words } from './words.ts'

/** How a file becomes known, or a clone becomes a copy. */
export function commitTables(words: Words): string[] {
  const { key, text, integer, bit, maybe, instant, size, count, hex, oneOf, limited, table } = words
  return [
    table(
      'intent',
      `${key('id')} CHECK (length(id) = 32)`,
      count('token'),
      `${text('file_name')} UNIQUE`,
      `${integer('store_id')} REFERENCES store (id)`,
      text('origin'),
      maybe(oneOf('kind', kinds)),
      size('size'),
      maybe(limited('checksum', 256)),
      bit('is_attested'),
      maybe(hex('sha256', 64)),
      maybe(text('manifest')),
      maybe(integer('prepared_token')),
      `${maybe(integer('incoming_transfer_id'))} UNIQUE REFERENCES incoming_transfer (id)`,
      maybe(text('transfer_manager_name')),
      oneOf('deletion_policy', policies),
      text('uploader'),
      text('source'),
      maybe(text('first_uploader')),
      instant('create_time'),
      instant('started'),
      text('holder'),
      maybe(text('act')),
      count('trail_order'),
      `${maybe(integer('clone_transfer_id'))} UNIQUE REFERENCES clone_transfer (id)`,
    ),

    table('finished_work', key('id'), instant('time')),
  ]
}
