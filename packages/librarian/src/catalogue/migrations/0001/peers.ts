import { copyStates, type Words } from './words.ts'

/** Other librarians: what they hold and have shown, and what they have yet to be told. */
export function peerTables(words: Words): string[] {
  const { id, text, integer, bit, maybe, instant, count, oneOf, limited, table } = words
  return [
    table(
      'peer',
      id,
      `${limited('name', 256)} UNIQUE`,
      text('url'),
      `${integer('port')} CHECK (port BETWEEN 0 AND 65535)`,
      text('authenticator'),
      bit('transfers_enabled', 1),
      instant('last_seen'),
      instant('last_heard'),
      maybe(text('signing_key')),
      maybe(instant('refused_since')),
    ),

    table(
      'remote_instance',
      id,
      `${text('file_name')} REFERENCES file (name)`,
      integer('store_id'),
      `${integer('librarian_id')} REFERENCES peer (id)`,
      instant('copy_time'),
      text('sender'),
      'UNIQUE (file_name, librarian_id, store_id)',
    ),
    'CREATE INDEX remote_instance_time ON remote_instance (copy_time, id)',
    'CREATE INDEX remote_instance_librarian ON remote_instance (librarian_id, copy_time, id)',

    table(
      'remote_proof',
      id,
      text('file_name'),
      integer('librarian_id'),
      integer('store_id'),
      instant('time'),
      oneOf('medium', ['peer-challenge', 'claim']),
      oneOf('outcome', copyStates),
    ),
    'CREATE INDEX remote_proof_file ON remote_proof (file_name, librarian_id, time)',

    table(
      'message',
      id,
      text('peer'),
      text('call'),
      text('body'),
      `${text('idempotency_key')} UNIQUE`,
      instant('created'),
      count('attempts'),
      instant('next_try'),
      maybe(text('reason')),
    ),
    'CREATE INDEX message_due ON message (next_try, id)',
    'CREATE INDEX message_peer ON message (peer, next_try, id)',
  ]
}
