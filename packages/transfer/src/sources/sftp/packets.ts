/**
 * The packets of SFTP version 3 (draft-ietf-secsh-filexfer-02): how requests are written and answers are read.
 */
import { TransferError } from '../../errors.ts'

export const REQUEST = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  lstat: 7,
  fstat: 8,
  opendir: 11,
  readdir: 12,
  realpath: 16,
  stat: 17,
  extended: 200,
} as const
export const ANSWER = {
  version: 2,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
  extended: 201,
} as const
export const STATUS = {
  ok: 0,
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
} as const

/** A field of a request: a string of bytes, a 32-bit number, or a 64-bit number. */
export type Field = Buffer | number | { readonly wide: number }

/** Length, type and fields as one buffer. */
export function writePacket(type: number, fields: readonly Field[]): Buffer {
  const size = fields.reduce<number>((sum, field) => sum + sizeOf(field), 5)
  const packet = Buffer.allocUnsafe(size)
  packet.writeUInt32BE(size - 4, 0)
  packet[4] = type
  let at = 5
  for (const field of fields) {
    if (typeof field === 'number') at = packet.writeUInt32BE(field, at)
    else if (Buffer.isBuffer(field)) {
      at = packet.writeUInt32BE(field.length, at)
      at += field.copy(packet, at)
    } else at = packet.writeBigUInt64BE(BigInt(field.wide), at)
  }
  return packet
}

function sizeOf(field: Field): number {
  if (typeof field === 'number') return 4
  return Buffer.isBuffer(field) ? 4 + field.length : 8
}

/** Reads the fields of an answer one after the other. What is not there is a fault of the server. */
export class Fields {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes
    this.#at = at
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  number(): number {
    return this.#take(4).readUInt32BE(0)
  }

  wide(): number {
    return Number(this.#take(8).readBigUInt64BE(0))
  }

  string(): Buffer {
    return this.#take(this.number())
  }

  #take(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) throw malformed('an answer that ends too early')
    const piece = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return piece
  }
}

export function malformed(what: string): TransferError {
  return new TransferError('Protocol', `Cannot understand the SFTP server: it sent ${what}`)
}
