/** What a submission must be (librarian 9.3). The answer is what is wrong with it. */

interface Item {
  readonly source_path: string
  readonly destination_path: string
  readonly recursive: boolean
}

export interface SubmittedBatch {
  readonly submission_id: string
  readonly source_endpoint: string
  readonly destination_endpoint: string
  readonly label: string
  readonly encrypt_data: boolean
  readonly DATA: readonly Item[]
}

const fixed = {
  DATA_TYPE: 'transfer',
  sync_level: 0,
  verify_checksum: true,
  preserve_timestamp: true,
  notify_on_succeeded: false,
  skip_source_errors: false,
  fail_on_quota_errors: true,
}

export function whatIsWrong(document: Readonly<Record<string, unknown>>): string | undefined {
  const odd = Object.entries(fixed).find(([field, value]) => document[field] !== value)
  if (odd) return `${odd[0]} must be ${odd[1]}`
  const missing = ['submission_id', 'source_endpoint', 'destination_endpoint', 'label'].find(
    field => typeof document[field] !== 'string' || document[field] === '',
  )
  if (missing) return `${missing} must be a text`
  if (!/^[A-Za-z0-9 _.,-]{1,128}$/.test(document.label as string)) return 'label has signs that are not allowed'
  if (typeof document.encrypt_data !== 'boolean') return 'encrypt_data must be true or false'
  const { DATA } = document
  if (!Array.isArray(DATA) || DATA.length === 0) return 'DATA must be a list of items'
  return DATA.every(isItem) ? undefined : 'DATA has what is no transfer_item'
}

function isItem(item: Readonly<Record<string, unknown>>): boolean {
  const { DATA_TYPE, source_path, destination_path, recursive } = item
  return (
    DATA_TYPE === 'transfer_item' &&
    typeof source_path === 'string' &&
    typeof destination_path === 'string' &&
    destination_path.startsWith('/') &&
    typeof recursive === 'boolean'
  )
}
