/** What goes back without a network: which files of a disk are kept, signed by the librarian that keeps them. */
import { open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { MAX_DISK_FILES, parseStatement, type ReceiptLine, receiptStatement } from '@arriero/api'
import { printable, TransferError } from '@arriero/transfer'
import { z } from 'zod'
import type { Librarian } from '../librarian.ts'
import { parseLine, readLines } from './bag/read-lines.ts'
import { syncDirectory, writeAll } from './disk/durable.ts'
import { diskTrouble } from './disk/trouble.ts'

const head = z.object({ statement: z.string(), signature: z.string() })

const line = z.object({
  name: z.string(),
  transfer_id: z.int(),
  store_id: z.int(),
  size: z.int(),
  sha256: z.string(),
})

/** Replaces the file. Resolves to how many files it is of. */
export async function writeReceipt(
  { api }: Librarian,
  disk_id: string,
  file: string,
  signal: AbortSignal,
): Promise<number> {
  const { statement, signature, pages } = await api.sneakernet.receipt({ disk_id }, { signal })
  let files = 0
  let after: string | undefined
  try {
    const handle = await open(file, 'w', 0o644)
    try {
      await writeAll(handle, Buffer.from(`${JSON.stringify({ statement, signature })}\n`))
      for (let page = 0; page < pages; page++) {
        const { lines } = await api.sneakernet.receiptPage({ disk_id, after }, { signal })
        files += lines.length
        after = lines.at(-1)?.name
        await writeAll(handle, Buffer.from(lines.map(each => `${JSON.stringify(each)}\n`).join('')))
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    await syncDirectory(dirname(resolve(file)))
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof Error && 'syscall' in error ? diskTrouble(error, 'write', file) : error
  }
  return files
}

/** What a receipt has confirmed. */
export interface ConfirmedDisk {
  readonly disk: string
  readonly confirmed: number
  /** Names of files that the disk does not have, or whose transfers had failed. */
  readonly refused: readonly string[]
}

/** Brings a receipt back. May be repeated. @throws LibrarianError Mismatch, Conflict where it is no good one */
export async function confirmReceipt({ api }: Librarian, file: string, signal: AbortSignal): Promise<ConfirmedDisk> {
  await api.sneakernet.key({}, { signal })
  let signed: z.output<typeof head> | undefined
  let confirmed = 0
  const refused: string[] = []
  let page = 0
  let lines: ReceiptLine[] = []
  const tell = async () => {
    if (!signed) return
    const answer = await api.sneakernet.confirm({ ...signed, page, lines }, { signal })
    confirmed += answer.confirmed
    refused.push(...answer.refused)
    page++
    lines = []
  }
  try {
    for await (const text of readLines(file, signal)) {
      if (!signed) signed = parseLine(head, text, file)
      else if (lines.push(parseLine(line, text, file)) === MAX_DISK_FILES) await tell()
    }
    if (lines.length > 0) await tell()
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof Error && 'syscall' in error ? diskTrouble(error, 'read', file) : error
  }
  const said = parseStatement(receiptStatement, signed?.statement ?? '')
  if (!said) {
    throw new TransferError('ChecksumMismatch', `Cannot use ${printable(file)}: it is no receipt`, {
      file,
      remedy: 'Give the file that `arriero sneakernet ingest --receipt` has written.',
    })
  }
  if (said.pages.length !== page) {
    throw new TransferError(
      'SizeMismatch',
      `Cannot use all of ${printable(file)}: it must have ${said.pages.length} pages, got ${page}`,
      {
        file,
        remedy: 'It was cut short on its way; what is in it is confirmed. Bring the whole one.',
      },
    )
  }
  return { disk: said.disk, confirmed, refused }
}
