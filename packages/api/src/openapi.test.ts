import { describe, expect, test } from 'vitest'
import type { Endpoint } from './endpoint.ts'
import { endpoints } from './endpoints/index.ts'
import { openApi } from './openapi.ts'

/** As deep as one looks. */
interface Node {
  readonly [key: string]: Node
}

const document = JSON.parse(JSON.stringify(openApi({ version: '1.2.3' }))) as Node
const all = Object.values(endpoints).flatMap(group => Object.values<Endpoint>(group))

/** Every object below, with the way to it. */
function* objects(node: unknown, way = '#'): Generator<[string, Record<string, unknown>]> {
  if (typeof node !== 'object' || node === null) return
  if (!Array.isArray(node)) yield [way, node as Record<string, unknown>]
  for (const [key, child] of Object.entries(node)) yield* objects(child, `${way}/${key}`)
}

describe('openApi()', () => {
  test('has every path and alias of the table, and no other', () => {
    const paths = all.flatMap(endpoint => [endpoint.path, ...(endpoint.aliases ?? [])])
    expect(Object.keys(document.paths!).toSorted()).toEqual(paths.map(path => `/${path}`).toSorted())
    for (const item of Object.values(document.paths!)) expect(Object.keys(item)).toEqual(['post'])
  })

  test('says what the standard demands at its head', () => {
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { title: expect.any(String), version: '1.2.3' },
      servers: [{ url: '/api/v2' }],
      security: [{ basic: [] }],
      components: { securitySchemes: { basic: { type: 'http', scheme: 'basic' } } },
    })
  })

  test('gives every operation a name of its own, a known tag, a body and answers', () => {
    const operations = Object.values(document.paths!).map(item => item.post!)
    expect(new Set(operations.map(operation => operation.operationId)).size).toBe(operations.length)
    const tags = new Set((document.tags as unknown as { name: string }[]).map(tag => tag.name))
    for (const operation of operations) {
      expect(operation).toMatchObject({
        summary: expect.stringMatching(/.+\.$/),
        requestBody: { required: expect.any(Boolean), content: { 'application/json': { schema: { type: 'object' } } } },
      })
      expect((operation.tags as unknown as string[]).every(tag => tags.has(tag))).toBe(true)
      const statuses = Object.keys(operation.responses!)
      expect(statuses).toEqual(expect.arrayContaining(['401', '422', '500']))
      expect(statuses.filter(status => /^2\d\d$/.test(status))).toHaveLength(1)
      expect(statuses.every(status => /^[245]\d\d$/.test(status))).toBe(true)
      for (const response of Object.values(operation.responses!)) expect(response.description).not.toBe('')
    }
  })

  test('refers to nothing that is not there', () => {
    const schemas = Object.keys(document.components!.schemas!)
    const references = [...objects(document)].flatMap(([, node]) => (typeof node.$ref === 'string' ? [node.$ref] : []))
    expect(references.length).toBeGreaterThan(all.length)
    expect(references.filter(reference => !schemas.includes(reference.replace('#/components/schemas/', '')))).toEqual(
      [],
    )
  })

  test('types every field of every request and answer', () => {
    const untyped = [...objects(document.paths)].filter(([way, node]) => {
      const isField = /\/properties\/[^/]+$/.test(way) && !way.endsWith('/properties/properties')
      return isField && !['type', 'enum', 'const', 'anyOf', 'oneOf', '$ref'].some(key => key in node)
    })
    expect(untyped.map(([way]) => way)).toEqual([])
  })

  test('requires what the schemas require', () => {
    const body = (path: string): Node =>
      document.paths![`/${path}`]!.post!.requestBody!.content!['application/json']!.schema!
    const { is_tree: _ours, ...demanded } = endpoints.upload.stage.request.shape
    expect(body('upload/stage').required).toEqual(Object.keys(demanded))
    expect(body('search/file').required).toBe(undefined)
    expect(body('users/update').required).toEqual(['username'])
    expect(body('upload/commit').required).not.toContain('null_obsid')
  })

  test('a commit has no content, changing calls have a key, reading ones none', () => {
    const operation = (path: string): Node => document.paths![`/${path}`]!.post!
    expect(operation('upload/commit').responses!['200']).toEqual({ description: expect.any(String) })
    expect(operation('upload/commit').parameters).toMatchObject([{ name: 'Idempotency-Key', in: 'header' }])
    expect(operation('search/file').parameters).toBe(undefined)
  })

  test('forbids no field: answers may gain some', () => {
    expect([...objects(document)].filter(([, node]) => node.additionalProperties === false)).toEqual([])
  })
})
