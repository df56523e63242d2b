import { parse, parseDocument } from 'yaml'
import { connectionSchema } from '../../packages/client/src/settings/connection.ts'
import { backgroundSchema, withAliases } from '../../packages/librarian/src/config/background.ts'
import { issuesOf } from '../../packages/librarian/src/config/issues.ts'
import { settingsSchema, storeSchema } from '../../packages/librarian/src/config/schema.ts'
import { localStoreData, s3StoreData } from '../../packages/librarian/src/stores/settings.ts'
import { type CodeBlock, codeBlocksOf } from './code-blocks.ts'
import { type Findings, isMarkdown, type ProjectFile } from './files.ts'

/**
 * Examples of JSON and YAML can be read, and what shows settings shows such as there are. Blocks of YAML are settings of a librarian, or
 * a part of them, unless they are a list or their first line is a comment that names another file.
 */
export function checkData(files: readonly ProjectFile[]): Findings {
  const blocks = files
    .filter(isMarkdown)
    .flatMap(codeBlocksOf)
    .filter(({ language }) => language === 'json' || language === 'yaml')
  const problems = blocks.flatMap(block =>
    problemsOf(block).map(problem => `${block.path}:${block.line}: the example cannot be used: ${problem}`),
  )
  return { what: 'examples of data', count: blocks.length, problems }
}

function problemsOf({ language, code }: CodeBlock): string[] {
  if (language === 'json') return jsonProblems(code)
  const document = parseDocument(code)
  if (document.errors.length > 0) return document.errors.map(({ message }) => message.split('\n')[0]!)
  const isOther = Array.isArray(document.toJS()) || /^# (?!arriero\.yaml)[\w-]+\.\w+\b/.test(code)
  return isOther ? [] : settingsProblems(parse(code) as Record<string, unknown>)
}

function jsonProblems(code: string): string[] {
  try {
    const { connections = {} } = JSON.parse(code) as { connections?: Record<string, unknown> }
    return Object.values(connections).flatMap(connection => {
      const { success, error } = connectionSchema.safeParse(connection)
      return success ? [] : [issuesOf(error)]
    })
  } catch (error) {
    return [(error as Error).message]
  }
}

/** What must be there besides, and is not shown. */
const rest = { name: 'example', add_stores: [] }

function settingsProblems(shown: Record<string, unknown>): string[] {
  const { success, data, error } = settingsSchema.safeParse({ ...rest, ...shown })
  if (!success) return [issuesOf(error)]
  const background = withAliases(data.background ?? {})
  const tasks = backgroundSchema.safeParse(background)
  if (!tasks.success) return [issuesOf(tasks.error)]
  const known: Readonly<Record<string, unknown>> = tasks.data
  const ofTasks = Object.entries(background).flatMap(([kind, given]) => {
    const taken = known[kind] as readonly object[]
    return (given as readonly object[]).flatMap((entry, at) => unknownKeys(`background.${kind}`, entry, taken[at]!))
  })
  return [...ofTasks, ...(data.add_stores as Record<string, unknown>[]).flatMap(storeProblems)]
}

/** Keys that a server passes over may be there in an old file, and not in an example. */
function unknownKeys(where: string, given: object, known: object): string[] {
  return Object.keys(given)
    .filter(key => !(key in known))
    .map(key => `${where}: unknown: ${key}`)
}

function storeProblems(store: Record<string, unknown>): string[] {
  const parsed = storeSchema.safeParse(store)
  if (!parsed.success) return [issuesOf(parsed.error)]
  const { store_name, store_type, store_data } = parsed.data
  const schema = String(store_type) === 's3' ? s3StoreData : localStoreData
  const found = schema.safeParse(withFullPaths(store_data as object))
  if (!found.success) return [`${store_name}: ${issuesOf(found.error)}`]
  return unknownKeys(String(store_name), store_data as object, found.data)
}

/** They may be relative to the file of the settings. */
function withFullPaths(store: object): object {
  const full = ([key, value]: [string, unknown]) => [key, key.endsWith('_path') ? `/${value}` : value]
  return Object.fromEntries(Object.entries(store).map(full))
}
