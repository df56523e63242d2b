/** The table of endpoints as an OpenAPI 3.1 document (librarian 10.11): what is not in the table is not in the document. */
import { z } from 'zod'
import type { Endpoint, FailureShape } from './endpoint.ts'
import { endpoints } from './endpoints/index.ts'
import { type ErrorCode, errorTable } from './errors.ts'
import { failureShape } from './failures.ts'

/** Options of `openApi()`. */
export interface OpenApiOptions {
  /** Of the server. */
  readonly version: string
  /** Where the paths begin; default `/api/v2`. */
  readonly basePath?: string
}

type Json = Readonly<Record<string, unknown>>

/** Codes that every endpoint may answer. */
const everywhere: readonly ErrorCode[] = ['NotAuthenticated', 'Denied', 'BadRequest', 'TooMany', 'Internal', 'Busy']

/** A new document each time; plain JSON. */
export function openApi({ version, basePath = '/api/v2' }: OpenApiOptions): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Arriero librarian',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: 'All calls are POST with JSON. Times are UTC, without zone in answers.',
    },
    servers: [{ url: basePath }],
    security: [{ basic: [] }],
    tags: Object.keys(endpoints).map(name => ({ name })),
    paths: Object.fromEntries(operations()),
    components: { securitySchemes: { basic: { type: 'http', scheme: 'basic' } }, schemas: failureSchemas },
  }
}

function* operations(): Generator<[string, Json]> {
  for (const [group, members] of Object.entries(endpoints)) {
    for (const [name, endpoint] of Object.entries<Endpoint>(members)) {
      yield [`/${endpoint.path}`, { post: operation(endpoint, group, `${group}.${name}`) }]
      for (const [index, alias] of (endpoint.aliases ?? []).entries()) {
        yield [`/${alias}`, { post: operation(endpoint, group, `${group}.${name}.alias${index + 1}`) }]
      }
    }
  }
}

function operation(endpoint: Endpoint, group: string, operationId: string): Json {
  return {
    operationId,
    tags: [group],
    summary: endpoint.summary,
    description: `Least level: ${endpoint.level}.${endpoint.isOurs ? ' An addition: other librarians lack it.' : ''}`,
    ...(endpoint.mutates ? { parameters: [idempotencyKey] } : {}),
    requestBody: { required: !endpoint.bodyIsOptional, content: json(schemaOf(endpoint.request, 'input')) },
    responses: { [endpoint.status ?? 200]: success(endpoint), ...failures(endpoint) },
  }
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key gives the same outcome; with another body it is refused.',
  schema: { type: 'string' },
}

function success(endpoint: Endpoint): Json {
  if (endpoint.answerIsEmpty) return { description: 'Done; no body.' }
  return { description: 'Done.', content: json(schemaOf(endpoint.answer, 'output')) }
}

function failures(endpoint: Endpoint): Json {
  const codes = new Set<ErrorCode>([...everywhere, ...(Object.keys(endpoint.failures ?? {}) as ErrorCode[])])
  if (endpoint.emptyReason !== undefined) codes.add('NotFound')
  if (endpoint.mutates) codes.add('IdempotencyMismatch')
  const byStatus = Map.groupBy(codes, code => endpoint.failures?.[code]?.status ?? errorTable[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      { description: group.join(', '), content: json(failureSchema(group, endpoint)) },
    ]),
  )
}

function failureSchema(codes: readonly ErrorCode[], endpoint: Endpoint): Json {
  const names = new Set(codes.map(code => schemaNames[failureShape(code, endpoint)]))
  const references = [...names].map(name => ({ $ref: `#/components/schemas/${name}` }))
  return references.length === 1 ? references[0]! : { anyOf: references }
}

const schemaNames = {
  plain: 'Failure',
  bare: 'Failure',
  detail: 'FailureInText',
  text: 'Phrase',
} as const satisfies Record<FailureShape, string>

const failureSchemas = {
  Failure: {
    type: 'object',
    required: ['reason', 'suggested_remedy'],
    properties: {
      reason: { type: 'string' },
      suggested_remedy: { type: 'string' },
      code: { type: 'string', enum: Object.keys(errorTable) },
      message: { type: 'string', description: 'What happened, where `reason` is a fixed text.' },
    },
  },
  FailureInText: {
    type: 'object',
    required: ['detail'],
    properties: {
      detail: {
        type: 'string',
        contentMediaType: 'application/json',
        contentSchema: { $ref: '#/components/schemas/Failure' },
      },
    },
  },
  Phrase: { type: 'object', required: ['detail'], properties: { detail: { type: 'string' } } },
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => simplify(jsonSchema),
  })
  return rest
}

/** Answers may gain fields, so readers must not refuse them; and every integer here is a safe one. */
function simplify(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.additionalProperties === false) delete schema.additionalProperties
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  if (schema.type === 'integer') schema.format = 'int64'
}

function json(schema: Json): Json {
  return { 'application/json': { schema } }
}
