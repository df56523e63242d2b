import type { Definitions, Refusal } from '../../definitions.ts'

const differs = (column: string) => `NEW.${column} IS DISTINCT FROM OLD.${column}`
const anyDiffers = (...columns: string[]) => columns.map(differs).join(' OR ')
const rank = (row: string) =>
  `CASE ${row}.status WHEN 'INITIATED' THEN 0 WHEN 'ONGOING' THEN 1 WHEN 'STAGED' THEN 2 ELSE 3 END`

/** What no statement may do, whoever wrote it (reliability 8.9). */
export function refusals(define: Definitions): string[] {
  return [...files, ...transfers(), ...records].flatMap(refusal => define.refuse(refusal))
}

const files: readonly Refusal[] = [
  {
    name: 'file_is_write_once',
    table: 'file',
    event: 'UPDATE',
    when: `${anyDiffers('name', 'create_time', 'size', 'checksum', 'kind')} OR (OLD.sha256 IS NOT NULL AND ${differs('sha256')})`,
    message: 'the name, time, size, kind and digests of a file never change',
  },
  { name: 'file_stays', table: 'file', event: 'DELETE', message: 'the row of a file is never removed' },
  {
    name: 'tree_is_write_once',
    table: 'tree',
    event: 'UPDATE',
    message: 'the manifest of a tree never changes',
  },
  { name: 'tree_stays', table: 'tree', event: 'DELETE', message: 'the manifest of a tree is never removed' },
  {
    name: 'instance_is_of_one_file',
    table: 'instance',
    event: 'UPDATE',
    when: anyDiffers('id', 'file_name', 'store_id', 'created_time'),
    message: 'an instance stays a copy of one file on one store',
  },
  { name: 'proof_is_write_once', table: 'proof', event: 'UPDATE', message: 'a proof never changes' },
]

function transfers(): Refusal[] {
  return ['incoming_transfer', 'outgoing_transfer', 'clone_transfer'].flatMap(table => {
    const content = table === 'clone_transfer' ? '' : ` OR ${anyDiffers('transfer_size', 'transfer_checksum')}`
    return [
      {
        name: `${table}_moves_forward`,
        table,
        event: 'UPDATE',
        when: `${differs('status')} AND (${rank('OLD')} = 3 OR ${rank('NEW')} < ${rank('OLD')})`,
        message: 'a transfer only moves forward and never leaves its last state',
      },
      {
        name: `${table}_is_of_one_content`,
        table,
        event: 'UPDATE',
        when: `${differs('id')}${content}`,
        message: 'the announced size and digest of a transfer never change',
      },
    ] as const
  })
}

const records: readonly Refusal[] = [
  {
    name: 'repair_ends_once',
    table: 'repair',
    event: 'UPDATE',
    when: `OLD.state IN ('failed','purged') AND ${differs('state')}`,
    message: 'a repair that has ended stays so',
  },
  { name: 'repair_stays', table: 'repair', event: 'DELETE', message: 'the row of a repair is never removed' },
  { name: 'remote_proof_is_write_once', table: 'remote_proof', event: 'UPDATE', message: 'a proof never changes' },
  { name: 'audit_is_write_once', table: 'audit', event: 'UPDATE', message: 'an audit entry never changes' },
  { name: 'audit_stays', table: 'audit', event: 'DELETE', message: 'an audit entry is never removed' },
  {
    name: 'lease_token_rises',
    table: 'lease',
    event: 'UPDATE',
    when: 'NEW.token < OLD.token OR (NEW.token = OLD.token AND NEW.holder <> OLD.holder)',
    message: 'the token of a lease rises with every new holder',
  },
  {
    name: 'lease_stays',
    table: 'lease',
    event: 'DELETE',
    // Of these nothing is leased again: a process itself, an upload that has ended, a batch that has.
    when: [
      "OLD.resource <> 'process:' || OLD.holder",
      ...['upload:', 'upload-wish:', 'send-item:'].map(prefix => `OLD.resource NOT LIKE '${prefix}%'`),
    ].join(' AND '),
    message: 'a lease is released, not removed: its token must not start again',
  },
  {
    name: 'job_ends_once',
    table: 'job',
    event: 'UPDATE',
    when: `OLD.status IN ('done','failed','cancelled') AND ${differs('status')}`,
    message: 'a job that has ended never runs again',
  },
  {
    name: 'send_item_ends_once',
    table: 'send_item',
    event: 'UPDATE',
    when: '(OLD.completed = 1 AND NEW.completed = 0) OR (OLD.failed = 1 AND NEW.failed = 0)',
    message: 'a batch that has ended is never sent again',
  },
  {
    name: 'idempotency_answer_is_write_once',
    table: 'idempotency',
    event: 'UPDATE',
    when: `${differs('request')} OR (OLD.status IS NOT NULL AND (${anyDiffers('status', 'body')}))`,
    message: 'an answer that was given never changes',
  },
  {
    name: 'trash_ends_once',
    table: 'trash',
    event: 'UPDATE',
    when: `OLD.state IN ('restored','purged','kept') AND (${anyDiffers('state', 'purged')})`,
    message: 'what was purged, restored or kept stays so',
  },
  {
    name: 'destruction_is_write_once',
    table: 'destruction',
    event: 'UPDATE',
    when: `${anyDiffers('id', 'file_name', 'reason', 'proposed_by', 'proposed')} OR (OLD.confirmed_by IS NOT NULL AND (${anyDiffers('confirmed_by', 'confirmed')})) OR (OLD.state = 'undone' AND NEW.state <> 'undone')`,
    message: 'what two administrators have agreed on never changes, and what was undone stays so',
  },
]
