/** The fields that a JSON Schema allows, each on a line of its own, however deep it lies. */
export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema | boolean
  readonly prefixItems?: readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly format?: string
  readonly description?: string
}

export interface Field {
  /** `files[].name` */
  readonly path: string
  readonly type: string
  readonly isRequired: boolean
  readonly notes: readonly string[]
}

export function fieldsOf(schema: JsonSchema, above = ''): Field[] {
  const { fields, suffix } = inside(schema)
  if (fields === undefined) return []
  const start = above === '' ? '' : `${above}${suffix}.`
  return Object.entries(fields.properties ?? {}).flatMap(([key, field]) => [
    {
      path: start + key,
      type: typeOf(field),
      isRequired: fields.required?.includes(key) ?? false,
      notes: notesOf(field),
    },
    ...fieldsOf(field, start + key),
  ])
}

/** The object that a schema is, or holds a list of. */
function inside(schema: JsonSchema): { fields: JsonSchema | undefined; suffix: string } {
  const only = withoutNull(schema)
  if (only.properties) return { fields: only, suffix: '' }
  if (typeof only.items === 'object') return { fields: inside(only.items).fields, suffix: '[]' }
  return { fields: undefined, suffix: '' }
}

function withoutNull(schema: JsonSchema): JsonSchema {
  const others = (schema.anyOf ?? schema.oneOf)?.filter(({ type }) => type !== 'null')
  return others?.length === 1 ? others[0]! : schema
}

function typeOf(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map(value => JSON.stringify(value)).join(', ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const several = schema.anyOf ?? schema.oneOf
  if (several) return [...new Set(several.map(typeOf))].join(' or ')
  if (schema.prefixItems) return `[${schema.prefixItems.map(typeOf).join(', ')}]`
  if (schema.type === 'array') return `list of ${typeof schema.items === 'object' ? typeOf(schema.items) : 'anything'}`
  if (Array.isArray(schema.type)) return schema.type.join(' or ')
  return String(schema.type ?? 'anything')
}

function notesOf({ default: value, maxLength, minimum, maximum, description }: JsonSchema): string[] {
  return [
    description ?? '',
    value === undefined ? '' : `default ${JSON.stringify(value)}`,
    maxLength === undefined ? '' : `at most ${maxLength} characters`,
    minimum === undefined ? '' : `at least ${minimum}`,
    maximum === undefined ? '' : `at most ${maximum}`,
  ].filter(text => text !== '')
}
