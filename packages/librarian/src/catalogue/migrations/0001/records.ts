import type { Words } from './words.ts'

const levels = ['NONE', 'READONLY', 'CALLBACK', 'READAPPEND', 'READWRITE', 'ADMIN']

/** Who may call, and what is kept of calls and mishaps. */
export function recordTables(words: Words): string[] {
  const { id, key, text, integer, bit, maybe, instant, count, hex, oneOf, limited, table } = words
  return [
    table('account', key('username'), text('auth_token'), oneOf('auth_level', levels), `${count('version')} DEFAULT 1`),

    table(
      'session',
      `${hex('token_hash', 64)} PRIMARY KEY`,
      `${text('username')} REFERENCES account (username)`,
      count('version'),
      instant('created'),
      instant('last_used'),
    ),
    'CREATE INDEX session_of ON session (username, created)',

    table(
      'idempotency',
      limited('actor', 256),
      limited('key', 256),
      hex('request', 64),
      instant('created'),
      maybe(text('holder')),
      maybe(integer('status')),
      maybe(text('body')),
      'PRIMARY KEY (actor, key)',
    ),
    'CREATE INDEX idempotency_created ON idempotency (created)',

    table(
      'audit',
      id,
      instant('time'),
      text('actor'),
      text('action'),
      text('subject'),
      text('detail'),
      // Unique: no two entries follow the same one, so the chain cannot fork.
      `${text('previous')} UNIQUE`,
      `${hex('hash', 64)} UNIQUE`,
    ),
    'CREATE INDEX audit_subject ON audit (subject, action)',

    table(
      'error',
      id,
      oneOf('severity', ['CRITICAL', 'ERROR', 'WARNING', 'INFO']),
      oneOf('category', [
        'DATA_INTEGRITY',
        'DATA_AVAILABILITY',
        'CONFIGURATION',
        'STORE_FULL',
        'PROGRAMMING',
        'LIBRARIAN_NETWORK_AVAILABILITY',
        'TRANSFER',
      ]),
      text('message'),
      instant('raised_time'),
      maybe(instant('cleared_time')),
      bit('cleared', 0),
      maybe(text('caller')),
    ),
    'CREATE INDEX error_time ON error (cleared, raised_time)',
  ]
}
