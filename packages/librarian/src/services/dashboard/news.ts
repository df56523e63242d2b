/** What is new for everybody who looks at a dashboard: each thing is told when it changed, and told alike to all. */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Pulse } from '../../catalogue/operations/overview.ts'

export interface NewsItem {
  readonly event: 'overview' | 'transfers' | 'tasks' | 'errors'
  /** JSON. */
  readonly data: string
  /** Whoever comes later is told it too. */
  readonly lasts: boolean
}

export interface NewsOptions<Overview> {
  /** As the wire has it. */
  readonly overview: () => Promise<Overview>
  readonly catalogue: Pick<Catalogue, 'overview'>
}

/** What has changed since the call before; the first call tells the overview. */
export function createNews<Overview extends { readonly time: string }>(
  options: NewsOptions<Overview>,
): () => Promise<NewsItem[]> {
  let told: string | undefined
  let pulse: Pulse | undefined

  return async () => {
    const [overview, next] = await Promise.all([options.overview(), options.catalogue.overview.pulse()])
    const items: NewsItem[] = []
    // Its time alone is no news.
    const { time: _, ...rest } = overview
    const content = JSON.stringify(rest)
    if (content !== told) items.push({ event: 'overview', data: JSON.stringify(overview), lasts: true })
    for (const event of ['transfers', 'tasks', 'errors'] as const) {
      if (pulse && pulse[event] !== next[event]) items.push({ event, data: '{"changed":true}', lasts: false })
    }
    told = content
    pulse = next
    return items
  }
}
