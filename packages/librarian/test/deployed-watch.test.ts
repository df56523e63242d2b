/** What is handed out for watching: the dashboard, the rules and the manual, held to what a running librarian exposes. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Site } from './attacks/site.ts'
import type { Family } from './exposition.ts'
import { namesOf } from './promql.ts'
import { labelsOf, openWatchedSite, scrape } from './watched-site.ts'

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

let site: Site
let families: Map<string, Family>
beforeAll(async () => {
  site = await openWatchedSite()
  families = await scrape(site)
}, 60_000)
afterAll(() => site[Symbol.asyncDispose]())

/** Of Prometheus itself. */
const target = ['job', 'instance']

/** Everything in a query that no scrape has; empty: nothing. */
function unknownIn(query: string): string[] {
  const { metrics, selected, grouped } = namesOf(query)
  const familyOf = (metric: string) => families.get(metric) ?? families.get(metric.replace(/_(bucket|sum|count)$/, ''))
  const known = new Set([...target, 'le', ...[...metrics].flatMap(metric => labelsOf(familyOf(metric) ?? none))])
  return [
    ...[...metrics].filter(metric => !isExposed(metric)).map(metric => `no metric ${metric}`),
    ...[...grouped].filter(label => !known.has(label)).map(label => `no label ${label}`),
    ...selected.flatMap(([metric, label]) => {
      if (target.includes(label)) return []
      const family = familyOf(metric)
      if (!family || !labelsOf(family).includes(label)) return [`no label ${label} of ${metric}`]
      return []
    }),
    ...(metrics.size === 0 ? [`nothing is asked: ${query}`] : []),
  ]
}

const none: Family = { name: '', type: '', help: '', samples: [] }

function isExposed(metric: string): boolean {
  if (families.get(metric)) return families.get(metric)!.type !== 'histogram'
  return families.get(metric.replace(/_(bucket|sum|count)$/, ''))?.type === 'histogram'
}

/** A query takes counters by their rate alone: their height says how long a process has run. */
function wrongWith(query: string): string[] {
  return [...namesOf(query).metrics].flatMap(metric => {
    const type = families.get(metric)?.type ?? 'histogram'
    const isRate = new RegExp(`(rate|increase|irate)\\(${metric}\\b`).test(query)
    if (type === 'gauge') return isRate ? [`${metric} is a gauge`] : []
    return isRate ? [] : [`${metric} is a ${type} and is taken as it stands`]
  })
}

describe('the rules for Prometheus', () => {
  interface Rule {
    readonly alert: string
    readonly expr: string
    readonly for: string
    readonly labels: { readonly severity: string }
    readonly annotations: { readonly summary: string; readonly description: string }
  }
  const rules = (parse(read('deploy/prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
    group => group.rules,
  )

  test('ask for what a running librarian exposes', () => {
    expect(rules.flatMap(({ alert, expr }) => unknownIn(expr).map(problem => `${alert}: ${problem}`))).toEqual([])
    expect(rules.flatMap(({ alert, expr }) => wrongWith(expr).map(problem => `${alert}: ${problem}`))).toEqual([])
    expect(rules.length).toBeGreaterThan(10)
  })

  test('have each a name of their own, a duration, a severity, and say what to do', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
    for (const rule of rules) {
      expect(rule.for).toMatch(/^\d+[smhd]$/)
      expect(['critical', 'warning']).toContain(rule.labels.severity)
      expect(rule.annotations.summary).toMatch(/\.$/)
      expect(rule.annotations.description).toMatch(/\.$/)
    }
  })

  test('name in their texts only labels that the query leaves', () => {
    for (const { alert, expr, annotations } of rules) {
      const left = new Set([...target, ...namesOf(expr).grouped])
      const named = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label!)
      expect(
        named.filter(label => !left.has(label)),
        alert,
      ).toEqual([])
    }
  })
})

describe('the dashboard for Grafana', () => {
  interface Panel {
    readonly id: number
    readonly type: string
    readonly title: string
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
  }
  const { panels, templating, uid } = JSON.parse(read('deploy/grafana/arriero.json')) as {
    panels: Panel[]
    templating: { list: { definition?: string }[] }
    uid: string
  }
  const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const))

  test('asks for what a running librarian exposes', () => {
    expect(queries.flatMap(([title, expr]) => unknownIn(expr).map(problem => `${title}: ${problem}`))).toEqual([])
    expect(queries.flatMap(([title, expr]) => wrongWith(expr).map(problem => `${title}: ${problem}`))).toEqual([])
    for (const { definition = '' } of templating.list.filter(({ definition }) => definition)) {
      expect(isExposed(/label_values\((\w+), job\)/.exec(definition)![1]!)).toBe(true)
    }
    expect(queries.length).toBeGreaterThan(30)
  })

  test('has panels with a place and a name of their own, under one line for each subject', () => {
    expect(uid).toBe('arriero-librarian')
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const places = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)} ${y + Math.floor(n / w)}`),
    )
    expect(new Set(places).size).toBe(places.length)
    const rows = panels.filter(({ type }) => type === 'row').map(({ title }) => title)
    expect(rows).toEqual(['Needs a person', 'Flow', 'Backlog', 'Proofs', 'Stores', 'Tasks', 'HTTP', 'Process'])
  })

  test('shows in legends only labels that the query leaves', () => {
    for (const { title, targets = [] } of panels) {
      for (const { expr, legendFormat } of targets) {
        const { metrics, grouped } = namesOf(expr)
        const left = grouped.size > 0 ? [...grouped] : [...metrics].flatMap(metric => labelsOf(families.get(metric)!))
        const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!)
        expect(
          named.filter(label => ![...target, ...left].includes(label)),
          title,
        ).toEqual([])
      }
    }
  })
})

describe('the manual', () => {
  test('has every metric with its type and labels, and no other', () => {
    const text = read('docs/manual/observe.md')
    const lines = text.split('\n').filter(line => /^\| `(arriero|process)_/.test(line))
    const cells = (line: string) =>
      line
        .slice(1, -1)
        .split('|')
        .map(cell => cell.trim())
        .slice(0, 4)
    const expected = [...families.values()].map(family => [
      `\`${family.name}\``,
      family.type,
      labelsOf(family)
        .map(label => `\`${label}\``)
        .join(', '),
      family.help.replaceAll('|', '\\|'),
    ])
    expect(lines.map(cells)).toEqual(expected)
  })

  test('has every rule', () => {
    const text = read('docs/manual/observe.md')
    const { groups } = parse(read('deploy/prometheus/alerts.yml')) as { groups: { rules: { alert: string }[] }[] }
    for (const { alert } of groups.flatMap(group => group.rules)) expect(text).toContain(`\`${alert}\``)
  })
})
