/** What a batch is for the transfer service (librarian 9.3). */
import { basename, relative } from 'node:path'
import { TransferError } from '../../errors.ts'
import type { MethodItem } from '../../method.ts'
import { printable } from '../../redact.ts'
import type { GlobusDocument } from './exchange.ts'

export interface Submission {
  readonly sourceEndpoint: string
  readonly destinationEndpoint: string
  readonly localRoot: string | undefined
  readonly encrypt: boolean
  readonly label: string | undefined
}

/** Without its number, which the service gives. @throws TransferError Usage for a source that the endpoint does not show */
export function submissionOf(items: readonly MethodItem[], submission: Submission): GlobusDocument {
  return {
    DATA_TYPE: 'transfer',
    source_endpoint: submission.sourceEndpoint,
    destination_endpoint: submission.destinationEndpoint,
    label: labelText(submission.label ?? labelOf(items)),
    // What exists is left alone: a batch may be given again.
    sync_level: 0,
    verify_checksum: true,
    preserve_timestamp: true,
    notify_on_succeeded: false,
    skip_source_errors: false,
    fail_on_quota_errors: true,
    encrypt_data: submission.encrypt,
    DATA: items.map(({ source, target, isTree }) => ({
      DATA_TYPE: 'transfer_item',
      source_path: below(source, submission.localRoot),
      destination_path: target,
      recursive: isTree,
    })),
  }
}

function labelOf(items: readonly MethodItem[]): string {
  const name = basename(items[0]!.source)
  return items.length === 1 ? name : `batch with ${name}`
}

/** The service takes no more than this, and refuses the whole batch for one sign that it does not know. */
function labelText(label: string): string {
  return label.replace(/[^A-Za-z0-9 _.,-]/g, '_').slice(0, 128)
}

function below(source: string, root: string | undefined): string {
  if (root === undefined) return source
  const path = relative(root, source)
  if (path !== '' && path !== '..' && !path.startsWith('../')) return path
  const message = `Cannot transfer by globus: a source must be below ${printable(root)}, met ${printable(source)}`
  throw new TransferError('Usage', message)
}
