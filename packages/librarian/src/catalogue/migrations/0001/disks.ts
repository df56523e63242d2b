import type { Words } from './words.ts'

/** Disks that are carried between sites. */
export function diskTables(words: Words): string[] {
  const { key, text, integer, maybe, instant, size, count, hex, oneOf, table } = words
  return [
    table(
      'disk',
      key('id'),
      oneOf('direction', ['out', 'in']),
      text('peer'),
      text('label'),
      oneOf('state', ['packing', 'packed', 'reading', 'read', 'given-up']),
      instant('created'),
      instant('changed'),
      count('files'),
      size('bytes'),
      maybe(hex('digest', 64)),
      maybe(text('statement')),
    ),
    'CREATE INDEX disk_state ON disk (state, created)',

    table(
      'disk_item',
      `${text('disk_id')} REFERENCES disk (id)`,
      text('file_name'),
      maybe(integer('transfer_id')),
      maybe(integer('instance_id')),
      oneOf('state', ['pending', 'done', 'exists', 'failed']),
      maybe(text('reason')),
      'PRIMARY KEY (disk_id, file_name)',
    ),
    'CREATE INDEX disk_item_file ON disk_item (file_name)',
  ]
}
