import type { Words } from './words.ts'

/** Jobs, recurring tasks, and the pieces of work of the embedded task engine. */
export function workTables(words: Words): string[] {
  const { id, key, text, integer, maybe, instant, size, count, hex, oneOf, limited, table } = words
  return [
    table(
      'job',
      key('id'),
      text('kind'),
      text('owner'),
      oneOf('status', ['queued', 'running', 'done', 'failed', 'cancelled']),
      text('request'),
      instant('created'),
      maybe(instant('started')),
      maybe(instant('ended')),
      maybe(text('reason')),
      `${count('total')} DEFAULT 0`,
      `${count('done')} DEFAULT 0`,
      `${count('failed')} DEFAULT 0`,
      `${size('bytes')} DEFAULT 0`,
    ),
    'CREATE INDEX job_status ON job (status, created)',
    'CREATE INDEX job_owner ON job (owner, created)',

    table(
      'job_item',
      id,
      `${text('job_id')} REFERENCES job (id)`,
      count('position'),
      text('name'),
      oneOf('status', ['pending', 'done', 'exists', 'failed']),
      `${count('attempts')} DEFAULT 0`,
      maybe(text('reason')),
      text('entry'),
      'UNIQUE (job_id, position)',
    ),
    'CREATE INDEX job_item_status ON job_item (job_id, status, position)',

    table(
      'task',
      key('id'),
      text('kind'),
      text('name'),
      maybe(instant('next_run')),
      maybe(hex('run', 32)),
      maybe(instant('heard')),
      maybe(instant('started')),
      maybe(instant('ended')),
      maybe(oneOf('outcome', ['done', 'partial', 'failed', 'off', 'interrupted'])),
      maybe(text('note')),
      text('counts'),
      maybe(text('cursor')),
    ),

    table(
      'piece',
      limited('queue', 128),
      limited('key', 256),
      maybe(instant('due')),
      instant('wanted'),
      integer('priority'),
      count('attempts'),
      maybe(hex('claim', 32)),
      maybe(instant('expires')),
      maybe(text('reason')),
      'PRIMARY KEY (queue, key)',
      'CHECK (claim IS NOT NULL OR due IS NOT NULL)',
      'CHECK ((claim IS NULL) = (expires IS NULL))',
    ),
    'CREATE INDEX piece_due ON piece (queue, due)',
  ]
}
