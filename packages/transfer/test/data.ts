/** The test data of retrieval 18, and what its digests are. */

/** D(n): byte i = (131 i + 17 (i >> 8) + 7 (i >> 16)) & 255, n bytes. */
export function testData(n: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(n)
  for (let i = 0; i < n; i++) data[i] = 131 * i + 17 * (i >> 8) + 7 * (i >> 16)
  return data
}

/** A copy in shared memory, as the engine's slots are. */
export function shared(data: Uint8Array, buffer = new SharedArrayBuffer(data.length), address = 0): Uint8Array {
  const view = new Uint8Array(buffer, address, data.length)
  view.set(data)
  return view
}

/** Digests as hex; `base64` where the specification gives both. */
export interface DigestVector {
  readonly name: string
  readonly data: () => Uint8Array
  readonly md5: string
  readonly md5Base64: string
  readonly crc32: string
  readonly crc32c: string
  readonly crc32cBase64: string
  readonly crc64nvme: string
  readonly crc64nvmeBase64: string
  readonly sha256?: string
}

export const digestVectors: readonly DigestVector[] = [
  {
    name: 'empty',
    data: () => new Uint8Array(),
    md5: 'd41d8cd98f00b204e9800998ecf8427e',
    md5Base64: '1B2M2Y8AsgTpgAmY7PhCfg==',
    crc32: '00000000',
    crc32c: '00000000',
    crc32cBase64: 'AAAAAA==',
    crc64nvme: '0000000000000000',
    crc64nvmeBase64: 'AAAAAAAAAAA=',
    sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  },
  {
    name: '"123456789"',
    data: () => new TextEncoder().encode('123456789'),
    md5: '25f9e794323b453885f5181f1b624d0b',
    md5Base64: 'JfnnlDI7RTiF9RgfG2JNCw==',
    crc32: 'cbf43926',
    crc32c: 'e3069283',
    crc32cBase64: '4waSgw==',
    crc64nvme: 'ae8b14860a799888',
    crc64nvmeBase64: 'rosUhgp5mIg=',
  },
  {
    name: 'D(5242880)',
    data: () => testData(5_242_880),
    md5: 'db43eb520f3efc9f042d19cd3871bad6',
    md5Base64: '20PrUg8+/J8ELRnNOHG61g==',
    crc32: 'b59bdef5',
    crc32c: '040a8d73',
    crc32cBase64: 'BAqNcw==',
    crc64nvme: '308609a12979827f',
    crc64nvmeBase64: 'MIYJoSl5gn8=',
  },
  {
    name: 'D(13631489)',
    data: () => testData(13_631_489),
    md5: '6f7309e7dd080c41e214a982706ba8e9',
    md5Base64: 'b3MJ590IDEHiFKmCcGuo6Q==',
    crc32: '8449d7cc',
    crc32c: 'cf75ebe2',
    crc32cBase64: 'z3Xr4g==',
    crc64nvme: '8b84b45937631387',
    crc64nvmeBase64: 'i4S0WTdjE4c=',
    sha256: 'eee7d69e5ebf57d5bed4a4b707e7af63adedb4299d2e93255230dfa68e0de7b6',
  },
  {
    name: 'D(16777216)',
    data: () => testData(16_777_216),
    md5: 'a126ff111035fa17f0723bd22cfa65d3',
    md5Base64: 'oSb/ERA1+hfwcjvSLPpl0w==',
    crc32: '7f36672e',
    crc32c: 'e3a9bfbe',
    crc32cBase64: '46m/vg==',
    crc64nvme: '74cdb2932b3a7c55',
    crc64nvmeBase64: 'dM2ykys6fFU=',
  },
]

const MIB = 1_048_576

export const etagVectors = [
  { size: 5_242_880, partSize: 5 * MIB, etag: '4ecec2824275cd9cea1f0d1d4891d60e-1' },
  { size: 13_631_489, partSize: 5 * MIB, etag: 'b75c90674fd507075230a0e684589f55-3' },
  { size: 13_631_489, partSize: 8 * MIB, etag: '95a1dfe79c311a272e9b4944321f7b82-2' },
  { size: 13_631_489, partSize: 13_631_489, etag: 'ab90630239a8dbb6b69876f27cef8b16-1' },
  { size: 16_777_216, partSize: 8 * MIB, etag: 'c8420429cfd67f1363207cb4fec700c1-2' },
] as const
