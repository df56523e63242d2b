import { parseChecksumArgument } from '@arriero/transfer'
import { expect, test } from 'vitest'
import { checksumsFrom, listOptions } from './file.ts'

const md5 = 'd41d8cd98f00b204e9800998ecf8427e'
const door = { parseChecksumArgument }

test('checksumsFrom() takes ALG:HEX alone and getm’s pair', () => {
  expect(checksumsFrom({ checksum: [`md5:${md5}`] }, door)).toEqual([`md5:${md5}`])
  expect(checksumsFrom({ checksum: [md5], checksumAlgorithm: 'md5' }, door)).toEqual([`md5:${md5}`])
  expect(checksumsFrom({}, door)).toEqual([])
})

test('checksumsFrom() refuses an algorithm without a checksum, with several, and one that contradicts', () => {
  expect(() => checksumsFrom({ checksumAlgorithm: 'md5' }, door)).toThrow(/needs the --checksum/)
  expect(() => checksumsFrom({ checksum: [md5, md5], checksumAlgorithm: 'md5' }, door)).toThrow(/single --checksum/)
  expect(() => checksumsFrom({ checksum: [`md5:${md5}`], checksumAlgorithm: 'sha256' }, door)).toThrow()
})

test('checksumsFrom() refuses a misspelt algorithm and a digest of the wrong length', () => {
  expect(() => checksumsFrom({ checksum: [`sha265:${md5}`] }, door)).toThrow(/sha256/)
  expect(() => checksumsFrom({ checksum: [`sha256:${md5}`] }, door)).toThrow(/64 hex/)
  expect(() => checksumsFrom({ checksum: [md5] }, door)).toThrow(/name its algorithm/)
})

test('listOptions() goes on after an error unless it is told to stop', () => {
  expect(listOptions({}, '.')).toMatchObject({ continueAfterError: true })
  expect(listOptions({ stopOnError: true }, '.')).toMatchObject({ continueAfterError: false })
  expect(() => listOptions({ stopOnError: true, continueAfterError: true }, '.')).toThrow(/contradict/)
})
