/** Every setting of the server, its stores and its recurring tasks, as the schemas have them. */
import { z } from 'zod'
import { backgroundSchema } from '../../packages/librarian/src/config/background.ts'
import {
  backgroundPrefix,
  serverPrefix,
  settingsSchema,
  storeSchema,
} from '../../packages/librarian/src/config/schema.ts'
import { localStoreData, s3StoreData } from '../../packages/librarian/src/stores/settings.ts'
import { blocks, code, plain, table } from './markdown.ts'
import type { ReferencePage } from './pages.ts'
import { type Meaning, meanings, taskMeanings } from './setting-meanings.ts'
import { variables } from './variables.ts'

type Schema = z.core.JSONSchema.BaseSchema

interface Row {
  readonly path: string
  readonly schema: Schema
}

const path = 'docs/manual/settings.md'

export function settingsPage(): ReferencePage {
  const problems: string[] = []
  const explain = (found: Readonly<Record<string, Meaning>>, key: string, where: string): Meaning => {
    const meaning = found[key]
    if (!meaning) problems.push(`${path}: scripts/reference/setting-meanings.ts does not say what ${where}${key} is`)
    return meaning ?? { means: '' }
  }
  const rows = (schema: z.ZodType, prefix = '') =>
    fieldsOf(jsonOf(schema)).map(({ path, schema }) => {
      const meaning = explain(meanings, prefix + path, '')
      return [
        code(path),
        environmentOf(path, prefix),
        typeOf(schema, meaning),
        defaultOf(schema, meaning),
        meaning.means,
      ]
    })
  const stores = (schema: z.ZodType, prefix: string) => rows(schema, prefix).map(([key, , ...rest]) => [key!, ...rest])
  const text = blocks(
    '# Every setting',
    'Of the server, its stores and its recurring tasks. How they are read, and which of them you need, is [told elsewhere](serve.md#settings).',
    `Variables have the key behind \`${serverPrefix}\`, in any case; for a key below another one (\`limits.connections\`), the upper one’s variable
holds JSON text. A duration is seconds as a number, \`HH:MM:SS\`, \`N days\`, or ISO 8601 (\`PT1H\`).`,
    '## Of the server',
    table(['key', 'variable', 'type', 'default', 'meaning'], rows(settingsSchema)),
    '## Of a store',
    'An entry of `add_stores`:',
    table(['key', 'type', 'default', 'meaning'], stores(storeSchema, 'add_stores.')),
    '### store_data of a local store',
    table(['key', 'type', 'default', 'meaning'], stores(localStoreData, 'local.')),
    '### store_data of a store in a bucket',
    table(['key', 'type', 'default', 'meaning'], stores(s3StoreData, 's3.')),
    '## Of recurring tasks',
    `The keys of \`background\`, and of the file of \`LIBRARIAN_BACKGROUND_CONFIG\`; as a variable, \`${backgroundPrefix}\` and the key. Each holds a list of tasks
([how](tasks.md)).`,
    ...taskSections((key, kind) => explain(taskMeanings, key, `${kind}: `)),
    '## Variables of the program',
    table(
      ['variable', 'meaning'],
      Object.entries(variables).map(([name, meaning]) => [code(name), meaning]),
    ),
  )
  return { path, text, problems }
}

function jsonOf(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })
}

/** Keys with those below them, in the schema's order. Lists and free objects are one row. */
function fieldsOf(schema: Schema, above = ''): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const field = value as Schema
    const path = above + key
    return [{ path, schema: field }, ...fieldsOf(inner(field) ?? field, `${path}.${inner(field) ? 'NAME.' : ''}`)]
  })
}

/** What each value of a free object is, where that has keys of its own. */
function inner({ additionalProperties: each }: Schema): Schema | undefined {
  return typeof each === 'object' && each.properties ? (each as Schema) : undefined
}

function environmentOf(path: string, prefix: string): string {
  return prefix === '' && !path.includes('.') ? code(serverPrefix + path.toUpperCase()) : ''
}

function typeOf(schema: Schema, { unit }: Meaning): string {
  if (unit === 'duration') return 'duration'
  return unit === undefined ? shapeOf(schema) : `${shapeOf(schema)}, ${unit}`
}

function shapeOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map(value => code(String(value))).join(', ')
  if (schema.const !== undefined) return code(String(schema.const))
  const several = (schema.anyOf ?? schema.oneOf)?.map(each => shapeOf(each as Schema)).filter(each => each !== 'null')
  if (several) return [...new Set(several)].join(' or ')
  const item = schema.items as Schema | undefined
  const type = Array.isArray(schema.type) ? schema.type.find(each => each !== 'null') : schema.type
  switch (type) {
    case 'array':
      return item?.type === undefined && !item?.enum ? 'list' : `list of ${shapeOf(item)}`
    case 'integer':
      return `whole number${bounds(schema)}`
    case 'boolean':
      return 'yes or no'
    case undefined:
      return ''
    default:
      return type === 'string' ? 'text' : String(type)
  }
}

function bounds({ minimum: least, maximum: most }: Schema): string {
  const from = least === undefined || least === Number.MIN_SAFE_INTEGER ? undefined : least
  const to = most === undefined || most === Number.MAX_SAFE_INTEGER ? undefined : most
  if (from !== undefined && to !== undefined) return ` ${from}–${to}`
  return from === undefined || from === 0 ? '' : ` ≥ ${from}`
}

function defaultOf(schema: Schema, { unit, otherwise }: Meaning): string {
  if (otherwise !== undefined) return otherwise
  const { default: value } = schema
  if (value === undefined || value === null || value === '') return ''
  if (unit === 'duration') return code(durationText(Number(value)))
  if (schema.type === 'object') return ''
  return code(typeof value === 'string' ? value : JSON.stringify(value))
}

const units = [
  ['days', 86_400_000],
  ['hours', 3_600_000],
  ['minutes', 60_000],
  ['s', 1000],
] as const

function durationText(ms: number): string {
  const [name, size] = units.find(([, size]) => ms >= size && ms % size === 0) ?? ['ms', 1]
  const count = ms / size
  return `${count} ${count === 1 ? name.replace(/s$/, '') || name : name}`
}

/** Keys that every task has come once, at the head. */
const common = ['task_name', 'every', 'at', 'soft_timeout']

function* taskSections(explain: (key: string, kind: string) => Meaning): Generator<string> {
  const kinds = Object.entries(jsonOf(backgroundSchema).properties ?? {}) as [string, Schema][]
  const first = kinds[0]![1].items as Schema
  const fields = (schema: Schema, isWanted: (key: string) => boolean, kind: string) =>
    fieldsOf(schema)
      .filter(({ path }) => isWanted(path))
      .map(({ path, schema }) => {
        const meaning = explain(path, kind)
        return [code(path), typeOf(schema, meaning), defaultOf(schema, meaning), meaning.means]
      })
  yield '### Every task'
  yield table(
    ['key', 'type', 'default', 'meaning'],
    fields(first, key => common.includes(key), 'every task'),
  )
  for (const [kind, schema] of kinds) {
    if (schema.type !== 'array') continue
    const rows = fields(schema.items as Schema, key => !common.includes(key), kind)
    yield `### ${kind}`
    yield plain(explain(kind, 'the kind').means)
    yield rows.length === 0 ? '' : table(['key', 'type', 'default', 'meaning'], rows)
  }
}
