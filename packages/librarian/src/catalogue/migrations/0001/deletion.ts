import { policies, type Words } from './words.ts'

/** Copies that go, and those that must stay meanwhile. */
export function deletionTables(words: Words): string[] {
  const { key, text, integer, bit, maybe, instant, count, oneOf, table } = words
  return [
    table(
      'trash',
      key('id'),
      oneOf('state', ['deleting', 'trashed', 'restoring', 'restored', 'purging', 'purged', 'kept']),
      text('holder'),
      integer('instance_id'),
      text('file_name'),
      integer('store_id'),
      text('path'),
      oneOf('deletion_policy', policies),
      bit('available'),
      maybe(text('withdrawn_by')),
      text('actor'),
      text('reason'),
      text('proofs'),
      instant('trashed'),
      maybe(instant('purged')),
      count('trail_order'),
      maybe(text('destruction')),
    ),
    'CREATE INDEX trash_state ON trash (state, trashed, id)',
    'CREATE INDEX trash_file ON trash (file_name, state)',
    'CREATE INDEX trash_store ON trash (store_id, trashed)',

    table(
      'destruction',
      key('id'),
      text('file_name'),
      text('reason'),
      oneOf('state', ['proposed', 'confirmed', 'undone']),
      text('proposed_by'),
      instant('proposed'),
      // A check of NULL holds.
      `${maybe(text('confirmed_by'))} CHECK (confirmed_by <> proposed_by)`,
      maybe(instant('confirmed')),
      `CHECK ((state = 'proposed') = (confirmed_by IS NULL))`,
      'CHECK ((confirmed IS NULL) = (confirmed_by IS NULL))',
    ),
    'CREATE INDEX destruction_file ON destruction (file_name, state)',
    'CREATE INDEX destruction_state ON destruction (state, proposed)',

    table(
      'leaving',
      `${integer('instance_id')} PRIMARY KEY`,
      `${text('file_name')} UNIQUE`,
      text('id'),
      text('holder'),
    ),

    table('hold', key('id'), integer('instance_id'), text('file_name'), text('holder'), instant('expires')),
    'CREATE INDEX hold_instance ON hold (instance_id, expires)',
    'CREATE INDEX hold_expiry ON hold (expires)',
  ]
}
