/** The OpenAPI document of a librarian as HTML: a section for each call, its fields as tables. */
import { escapeHtml } from './escape-html.ts'
import type { Heading, Rendered } from './render-markdown.ts'
import { type Field, fieldsOf, type JsonSchema } from './schema-fields.ts'

interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description: string
  readonly parameters?: readonly { readonly name: string }[]
  readonly requestBody: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>

interface Call {
  readonly path: string
  readonly operation: Operation
  /** Other paths of the same call. */
  readonly aliases: readonly string[]
}

/** @param document as `openApi()` makes it */
export function renderHttpApi(document: Readonly<Record<string, unknown>>): Omit<Rendered, 'title'> {
  const base = (document.servers as { url: string }[])[0]!.url
  const groups = Map.groupBy(callsOf(document), ({ operation }) => operation.tags[0] ?? '')
  const headings: Heading[] = [...groups.keys()].map(tag => ({ level: 2, text: tag, id: `calls-${tag}` }))
  const html = [...groups].map(
    ([tag, calls]) =>
      `<h2 id="calls-${tag}">${escapeHtml(tag)}</h2>\n${calls.map(call => section(call, base)).join('')}`,
  )
  return { html: html.join(''), headings }
}

function callsOf(document: Readonly<Record<string, unknown>>): Call[] {
  const paths = Object.entries(document.paths as Record<string, { post: Operation }>)
  const isAlias = ({ operationId }: Operation) => /\.alias\d+$/.test(operationId)
  return paths
    .filter(([, { post }]) => !isAlias(post))
    .map(([path, { post }]) => ({
      path,
      operation: post,
      aliases: paths
        .filter(([, other]) => isAlias(other.post) && other.post.operationId.startsWith(`${post.operationId}.alias`))
        .map(([alias]) => alias),
    }))
}

function section({ path, operation, aliases }: Call, base: string): string {
  const { summary, description, parameters = [], requestBody, responses } = operation
  const [status = '200', success] = Object.entries(responses).find(([status]) => status.startsWith('2')) ?? []
  const failures = Object.entries(responses).filter(([status]) => !status.startsWith('2'))
  const also = aliases.map(alias => `<code>${escapeHtml(base + alias)}</code>`).join(', ')
  return [
    `<h3 id="${escapeHtml(path.slice(1).replaceAll('/', '-').replace(/-$/, ''))}"><code>${escapeHtml(base + path)}</code></h3>`,
    `<p>${escapeHtml(summary)} ${escapeHtml(description)}${also && ` Also ${also}.`}${parameters.length > 0 ? ' It takes an <code>Idempotency-Key</code>.' : ''}</p>`,
    fieldTable(
      requestBody.required ? 'Request' : 'Request, which may be left out',
      requestBody.content,
      'must be there',
    ),
    success?.content
      ? fieldTable(`Answer, ${status}`, success.content, 'always there')
      : `<p><strong>Answer, ${status}:</strong> no body.</p>\n`,
    `<p><strong>Failures:</strong> ${failures.map(([status, each]) => `${status} ${escapeHtml(each.description)}`).join('; ')}.</p>\n`,
  ].join('\n')
}

function fieldTable(title: string, content: Content, whenRequired: string): string {
  const schema = content['application/json']?.schema ?? {}
  const fields = fieldsOf(schema)
  const what = schema.type === 'array' ? ': a list of' : ''
  if (fields.length === 0)
    return `<p><strong>${title}${what}:</strong> ${escapeHtml(schema.type === 'object' ? 'no fields' : String(schema.type ?? 'anything'))}.</p>\n`
  const rows = fields.map(field => row(field, whenRequired)).join('\n')
  return `<p><strong>${title}${what}</strong></p>
<div class="table" tabindex="0"><table><thead><tr><th>field</th><th>type</th><th></th></tr></thead><tbody>
${rows}
</tbody></table></div>\n`
}

function row({ path, type, isRequired, notes }: Field, whenRequired: string): string {
  const told = [isRequired ? whenRequired : '', ...notes].filter(text => text !== '').join('; ')
  return `<tr><td><code>${escapeHtml(path)}</code></td><td>${escapeHtml(type)}</td><td>${escapeHtml(told)}</td></tr>`
}
