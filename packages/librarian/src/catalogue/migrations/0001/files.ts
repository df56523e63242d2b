import { copyStates, kinds, policies, type Words } from './words.ts'

/** Files, the places that hold them, their copies here, and what reading those copies has proven. */
export function fileTables(words: Words): string[] {
  const { id, key, text, integer, bit, maybe, instant, size, hex, oneOf, limited, table } = words
  return [
    table(
      'file',
      `${key('name')} CHECK (length(name) BETWEEN 1 AND 256 AND name NOT LIKE '/%')`,
      instant('create_time'),
      size('size'),
      limited('checksum', 256),
      maybe(hex('sha256', 64)),
      oneOf('kind', kinds),
      bit('is_attested'),
      text('uploader'),
      text('source'),
      maybe(text('first_uploader')),
    ),
    // The name is in each index that serves a search, so that pages continue and globs match without the table.
    'CREATE INDEX file_time ON file (create_time, name)',
    'CREATE INDEX file_uploader ON file (uploader, create_time, name)',
    'CREATE INDEX file_source ON file (source, create_time, name)',
    'CREATE INDEX file_checksum ON file (checksum, create_time, name)',
    'CREATE INDEX file_sha256 ON file (sha256) WHERE sha256 IS NOT NULL',

    table('tree', `${key('file_name')} REFERENCES file (name)`, text('manifest')),

    table(
      'store',
      id,
      `${limited('name', 256)} UNIQUE`,
      bit('ingestable'),
      bit('enabled', 1),
      text('store_type'),
      text('store_data'),
      text('transfer_manager_data'),
      maybe(text('async_transfer_manager_data')),
      `${maybe(text('uuid'))} UNIQUE`,
    ),

    table(
      'instance',
      id,
      text('path'),
      `${text('file_name')} REFERENCES file (name)`,
      `${integer('store_id')} REFERENCES store (id)`,
      oneOf('deletion_policy', policies),
      instant('created_time'),
      bit('available'),
      oneOf('state', copyStates),
      maybe(text('calculated_checksum')),
      maybe(size('calculated_size')),
      maybe(instant('checksum_time')),
      maybe(text('fingerprint')),
      maybe(text('withdrawn_by')),
      'UNIQUE (file_name, store_id)',
      // By path first, so that it also finds a path whatever its store.
      'UNIQUE (path, store_id)',
    ),
    'CREATE INDEX instance_time ON instance (created_time, id)',
    'CREATE INDEX instance_scrub ON instance (store_id, checksum_time, id)',
    'CREATE INDEX instance_away ON instance (state, id) WHERE available = 0',
    // With all by which they are counted: after an import they are as many as the copies.
    `CREATE INDEX instance_state ON instance (state, id, available, store_id) WHERE state <> 'ok'`,

    table(
      'proof',
      id,
      integer('instance_id'),
      text('file_name'),
      integer('store_id'),
      instant('time'),
      oneOf('medium', ['medium', 'cache', 'peer-challenge', 'commit']),
      text('"by"'),
      oneOf('outcome', copyStates),
      maybe(hex('sha256', 64)),
      maybe(size('size')),
    ),
    'CREATE INDEX proof_instance ON proof (instance_id, time)',
    'CREATE INDEX proof_file ON proof (file_name, time)',
  ]
}
