import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { Secret } from '../config/secret.ts'
import { createFernet } from './fernet.ts'

const key = new Secret('xi_XAj9x5igbZInpy4izFiyubfLiW0beI7mJAYKCb-0=')
const token =
  'gAAAAABrAMdPspDwdPHaGD8YU0ljKSSlPZ-GEjiegaX9liLEb6EQdFptW265RPcxB8YVmDYLL2RLKL48Dm9tlMFWNug3dhqGZl9ITKJlY-k-947BuGh-3lo='
const tools = { clock: { wallNow: () => 1_795_212_111_000 }, random: (bytes: number) => randomBytes(bytes) }

test('createFernet() reads the published vector (librarian 19)', () => {
  expect(createFernet(key, tools).decrypt(token)).toBe('source_librarian:s3cret')
})

test('createFernet() writes the vector again, given its time and its initialisation vector', () => {
  const bytes = Buffer.from(token, 'base64url')
  const wallNow = () => Number(bytes.readBigUInt64BE(1)) * 1000
  const fernet = createFernet(key, { clock: { wallNow }, random: () => Buffer.from(bytes.subarray(9, 25)) })
  expect(fernet.encrypt('source_librarian:s3cret')).toBe(token)
})

test('decrypt() refuses every changed byte, a cut token and another key', () => {
  const fernet = createFernet(key, tools)
  const bytes = Buffer.from(token, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1
    expect(() => fernet.decrypt(changed.toString('base64url')), `byte ${at}`).toThrow('another encryption_key')
  }
  expect(() => fernet.decrypt(token.slice(0, 60))).toThrow('another encryption_key')
  const other = createFernet(new Secret(randomBytes(32).toString('base64url')), tools)
  expect(() => other.decrypt(token)).toThrow('another encryption_key')
})

test('createFernet() says what a key must be, and not what it was', () => {
  expect(() => createFernet(new Secret('short-one'), tools)).toThrow(/32 bytes/)
  expect(() => createFernet(new Secret('short-one'), tools)).not.toThrow(/short-one/)
})
