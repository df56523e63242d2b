import { describe, expect, test } from 'vitest'
import { sourceContext } from '../../test/source-context.ts'
import { createSourceRegistry, openSource, schemeOf, sourceLoaders } from './registry.ts'

const context = sourceContext()

describe('createSourceRegistry()', () => {
  test('opens the source of the scheme, whatever its case', async () => {
    expect((await openSource('HTTPS://Host/x', context)).origin).toBe('https://host:443')
    expect((await openSource('file:///tmp/x', context)).origin).toBe('file:')
    expect((await openSource('/tmp/x', context)).origin).toBe('file:')
    expect((await openSource('C:\\data\\x', context)).origin).toBe('file:')
  })

  test('names the known schemes when it is given another, and no secret', async () => {
    const registry = createSourceRegistry(sourceLoaders)
    await expect(registry.open('gopher://me:hunter2@host/x?sig=topsecret', context)).rejects.toMatchObject({
      code: 'Unsupported',
      message:
        'Cannot fetch gopher://host/x?sig=***: the scheme must be one of file, ftp, ftps, http, https, got gopher',
    })
    await expect(registry.open('constructor:x', context)).rejects.toMatchObject({ code: 'Unsupported' })
  })

  test('loads a factory when its scheme is opened first, and once', async () => {
    let loads = 0
    const registry = createSourceRegistry({
      xx: async () => {
        loads++
        return (uri: string) => ({ uri }) as never
      },
    })
    expect(loads).toBe(0)
    expect((await registry.open('xx:1', { ...context })).uri).toBe('xx:1')
    await registry.open('xx:2', context)
    expect(loads).toBe(1)
  })

  test('strips secrets for display', () => {
    expect(createSourceRegistry(sourceLoaders).display('https://u:p@h/x?token=t')).toBe('https://h/x?token=***')
  })
})

test('schemeOf() takes plain paths and drives for files', () => {
  expect(schemeOf('s3://bucket/key')).toBe('s3')
  expect(schemeOf('a/b:c')).toBe('file')
  expect(schemeOf('D:/x')).toBe('file')
})
