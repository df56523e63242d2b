import { describe, expect, test } from 'vitest'
import { PacketReader } from './packet-reader.ts'
import { ANSWER, writePacket } from './packets.ts'

/** What a reader tells of bytes that come in these pieces; data is put together per request. */
function readAll(pieces: readonly Buffer[]) {
  const told: unknown[] = []
  let data: Buffer[] = []
  const reader = new PacketReader({
    packet: (type, body) => told.push([type, body.toString('hex')]),
    data: (request, piece, isLast) => {
      data.push(Buffer.from(piece))
      if (!isLast) return
      told.push([request, Buffer.concat(data).toString('hex')])
      data = []
    },
  })
  for (const piece of pieces) reader.push(piece)
  return told
}

const stream = Buffer.concat([
  writePacket(ANSWER.version, [3, Buffer.from('name'), Buffer.from('1')]),
  writePacket(ANSWER.handle, [1, Buffer.from('h')]),
  writePacket(ANSWER.data, [2, Buffer.from('some data')]),
  writePacket(ANSWER.data, [3, Buffer.from('x')]),
  writePacket(ANSWER.status, [4, 1]),
  // As short as an answer can be.
  Buffer.from([0, 0, 0, 1, ANSWER.extended]),
  writePacket(ANSWER.data, [5, Buffer.alloc(100, 7)]),
])

describe('PacketReader', () => {
  const whole = readAll([stream])

  test('tells answers and data', () => {
    expect(whole).toHaveLength(7)
    expect(whole[2]).toEqual([2, Buffer.from('some data').toString('hex')])
    expect(whole[5]).toEqual([ANSWER.extended, ''])
  })

  test('tells the same wherever the bytes are cut', () => {
    for (let at = 0; at <= stream.length; at++) {
      expect(readAll([stream.subarray(0, at), stream.subarray(at)])).toEqual(whole)
    }
    expect(readAll([...stream].map(byte => Buffer.from([byte])))).toEqual(whole)
  })

  test('refuses answers of impossible lengths, before it keeps memory for them', () => {
    const data = (length: number, left: number) => {
      const packet = Buffer.alloc(20)
      packet.writeUInt32BE(length, 0)
      packet[4] = ANSWER.data
      packet.writeUInt32BE(left, 9)
      return packet
    }
    const bad = [
      Buffer.alloc(5),
      Buffer.from([0x7f, 0xff, 0xff, 0xff, ANSWER.name]),
      data(109, 99),
      data(9, 0),
      data(20, 0xffff_ffff),
    ]
    for (const packet of bad) expect(() => readAll([packet])).toThrow(expect.objectContaining({ code: 'Protocol' }))
  })
})
