/** A librarian in which there is something of everything that is measured, and what it says when it is scraped. */
import { expect, vi } from 'vitest'
import { openSite, type Site } from './attacks/site.ts'
import { type Family, parseExposition } from './exposition.ts'

/** Resolves when its task has run, and everything has a number. */
export async function openWatchedSite(settings: Readonly<Record<string, unknown>> = {}): Promise<Site> {
  const site = await openSite({
    settings: { background: { repair: [{ task_name: 'mend', every: 3600 }] }, ...settings },
  })
  const answers = [
    await site.keep('obs/a.fits', 'the bytes of a'),
    await site.post('error/raise', { severity: 'warning', category: 'transfer', message: 'look at this' }),
    await site.post('admin/librarians/add', {
      librarian_name: 'far',
      url: 'http://127.0.0.1',
      port: 9,
      authenticator: 'here:word of far',
      check_connection: false,
    }),
    await site.post('admin/stores/manifest', {
      store_name: 'files',
      create_outgoing_transfers: true,
      destination_librarian: 'far',
      disable_store: false,
      mark_local_instances_as_unavailable: false,
    }),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 201, 200, 200])
  const hasRun = async () => {
    const families = await scrape(site)
    for (const { name, samples } of families.values())
      if (samples.length === 0) throw new Error(`${name} has no sample`)
  }
  await vi.waitFor(hasRun, { timeout: 30_000, interval: 200 })
  return site
}

/** As Prometheus on the same machine does. */
export async function scrape(site: Site): Promise<Map<string, Family>> {
  const { status, text, headers } = await site.call('GET', '/metrics', { as: '' })
  expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  return parseExposition(text)
}

/** Names of a family's labels, as its samples have them. */
export function labelsOf({ samples }: Family): string[] {
  return [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))].filter(label => label !== 'le')
}

/** @throws where there is none, or several */
export function sampleOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number {
  const family = families.get(name.replace(/_(bucket|sum|count)$/, '')) ?? families.get(name)
  const found = (family?.samples ?? []).filter(
    sample => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  )
  if (found.length !== 1) throw new Error(`${name} ${JSON.stringify(labels)}: ${found.length} samples`)
  return found[0]!.value
}
