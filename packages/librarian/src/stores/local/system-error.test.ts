import { expect, test } from 'vitest'
import { systemError } from './system-error.ts'

const met = (code: string) => systemError(Object.assign(new Error(code), { code }), 'write', 'a')

test('systemError() tells a file system that takes no writes from a disk that is away', () => {
  expect(met('EROFS')).toMatchObject({
    code: 'StoreUnavailable',
    message: 'Cannot write a: its file system is mounted read-only (EROFS)',
    remedy: expect.stringContaining('mount it to be written again'),
  })
  expect(met('ENODEV')).toMatchObject({ code: 'StoreUnavailable', remedy: expect.stringContaining('the mount') })
})
