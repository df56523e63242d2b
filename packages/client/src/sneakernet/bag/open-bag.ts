/**
 * A bag that has come: its lists are held to what the sending librarian has signed before a line of them is believed.
 *
 *     signature → digest of the list of lists → digest of each list
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DiskStatement, diskStatement, parseStatement } from '@arriero/api'
import { printable, TransferError } from '@arriero/transfer'
import { z } from 'zod'
import { diskTrouble } from '../disk/trouble.ts'
import { type CarriedItem, carriedItem } from './item.ts'
import { BAGIT, ITEM_LIST, JOURNAL, PAYLOAD_LIST, parseListLine, SIGNATURE, TAG_LIST } from './layout.ts'
import { parseLine, readLines } from './read-lines.ts'

export interface SignedBag {
  readonly directory: string
  /** As it stands on the disk; whether the librarian has signed it, another one must say. */
  readonly statement: string
  readonly signature: string
  readonly said: DiskStatement
}

const signatureFile = z.object({ statement: z.string(), signature: z.string() })

/** @throws TransferError NotFound where there is no packed disk, ChecksumMismatch where a list is not the signed one */
export async function openBag(directory: string): Promise<SignedBag> {
  const text = await readTag(directory, SIGNATURE)
  if (text === undefined) throw await notPacked(directory)
  const signed = parseLine(signatureFile, text, join(directory, SIGNATURE))
  const said = parseStatement(diskStatement, signed.statement)
  if (!said)
    throw new TransferError(
      'ChecksumMismatch',
      `Cannot use ${printable(join(directory, SIGNATURE))}: its statement is none that we write`,
      { file: directory, remedy: 'It was damaged, or is of a newer release; ask for the disk again.' },
    )
  await checkLists(directory, said)
  return { directory, said, statement: signed.statement, signature: signed.signature }
}

export async function* bagItems({ directory }: SignedBag, signal?: AbortSignal): AsyncGenerator<CarriedItem> {
  const path = join(directory, ITEM_LIST)
  for await (const line of readLines(path, signal)) if (line !== '') yield parseLine(carriedItem, line, path)
}

/** Paths below the bag that its payload list names. */
export async function* bagPaths({ directory }: SignedBag, signal?: AbortSignal): AsyncGenerator<string> {
  for await (const line of readLines(join(directory, PAYLOAD_LIST), signal)) {
    const listed = parseListLine(line)
    if (listed) yield listed.path
  }
}

async function checkLists(directory: string, { tag_manifest }: DiskStatement): Promise<void> {
  const text = (await readTag(directory, TAG_LIST)) ?? ''
  if (createHash('sha256').update(text).digest('hex') !== tag_manifest) throw otherList(directory, TAG_LIST)
  const listed = text.split('\n').flatMap(line => parseListLine(line) ?? [])
  const names = listed.map(({ path }) => path)
  for (const name of [BAGIT, PAYLOAD_LIST, ITEM_LIST]) if (!names.includes(name)) throw otherList(directory, name)
  for (const { path, sha256 } of listed) {
    // Of names, not paths: what is signed came from a librarian, and is still from outside.
    if (!/^[\w.-]+$/.test(path) || (await digestOf(directory, path)) !== sha256) throw otherList(directory, path)
  }
}

async function digestOf(directory: string, name: string): Promise<string | undefined> {
  try {
    const hash = createHash('sha256')
    for await (const bytes of createReadStream(join(directory, name))) hash.update(bytes as Buffer)
    return hash.digest('hex')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw diskTrouble(error, 'read', join(directory, name))
  }
}

async function readTag(directory: string, name: string): Promise<string | undefined> {
  try {
    return await readFile(join(directory, name), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw diskTrouble(error, 'read', join(directory, name))
  }
}

async function notPacked(directory: string): Promise<TransferError> {
  try {
    await readdir(directory)
  } catch (error) {
    return diskTrouble(error, 'read', directory)
  }
  const isHalf = (await readTag(directory, JOURNAL)) !== undefined
  const what = `Cannot take files from ${printable(directory)}`
  if (isHalf) {
    return new TransferError('Unverifiable', `${what}: the disk was not packed to its end`, {
      file: directory,
      remedy: 'Say `arriero sneakernet pack` again where it was begun: it goes on; or give the disk up there.',
    })
  }
  return new TransferError('NotFound', `${what}: there is no ${SIGNATURE}, so no librarian has packed it`, {
    file: directory,
    remedy:
      'Give the directory in which bagit.txt lies. A disk of the older program: `arriero librarian ingest-manifest`.',
  })
}

function otherList(directory: string, name: string): TransferError {
  return new TransferError(
    'ChecksumMismatch',
    `Cannot take files from ${printable(directory)}: ${printable(name)} is not the one that was signed with this disk`,
    { file: join(directory, name), remedy: 'It was changed, or belongs to another disk; ask for the disk again.' },
  )
}
