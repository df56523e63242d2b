/** What a scrape says, parsed strictly; and what Prometheus' conventions find wrong with it. */

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** @throws Error naming the line that is none of the format's */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line must end')
  const families = new Map<string, Family & { samples: Sample[] }>()
  let current: (Family & { samples: Sample[] }) | undefined
  let help: { readonly name: string; readonly text: string } | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (line === '') continue
    if (kind === 'HELP') help = { name, text: rest }
    else if (kind === 'TYPE') {
      if (help?.name !== name) throw new Error(`no help before the type: ${line}`)
      if (families.has(name)) throw new Error(`twice: ${name}`)
      current = { name, type: rest, help: help.text, samples: [] }
      families.set(name, current)
    } else {
      if (!current) throw new Error(`a sample of nothing: ${line}`)
      current.samples.push(parseSample(line))
    }
  }
  return families
}

const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/
const label = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y

function parseSample(line: string): Sample {
  const [, name, inside = '', number] = sampleLine.exec(line) ?? []
  if (name === undefined || number === undefined) throw new Error(`no sample: ${line}`)
  const value =
    number === 'Nan' || number === 'NaN' ? Number.NaN : number === '+Inf' ? Number.POSITIVE_INFINITY : Number(number)
  if (Number.isNaN(value) && !/^nan$/i.test(number)) throw new Error(`no number: ${line}`)
  const labels: Record<string, string> = {}
  label.lastIndex = 0
  while (label.lastIndex < inside.length) {
    const [, key, text] = label.exec(inside) ?? []
    if (key === undefined || text === undefined) throw new Error(`no label: ${line}`)
    if (Object.hasOwn(labels, key)) throw new Error(`a label twice: ${line}`)
    labels[key] = text.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign))
  }
  return { name, labels, value }
}

const units = ['seconds', 'bytes']
const unlikeUnits = /_(ms|milliseconds|minutes|hours|days|kb|mb|gb|kilobytes|megabytes|percent)(_|$)/
const suffixes: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'] }

/** Everything that a checker of metrics would say, one line each. */
export function lint(families: ReadonlyMap<string, Family>): string[] {
  return [...families.values()].flatMap(family => [...lintName(family), ...lintSamples(family)])
}

function lintName({ name, type, help }: Family): string[] {
  const problems: string[] = []
  const say = (problem: string) => problems.push(`${name}: ${problem}`)
  if (!/^(arriero|process)_[a-z0-9]+(_[a-z0-9]+)*$/.test(name)) say('is no name of ours')
  if (!['counter', 'gauge', 'histogram'].includes(type)) say(`has the type ${type}`)
  if (help.length < 10 || !/^[A-Z].*\.$/.test(help)) say('its help is no sentence')
  if ((type === 'counter') !== name.endsWith('_total')) say('only counters, and all of them, end in _total')
  if (unlikeUnits.test(name)) say('has a unit that is no base unit')
  if (/_(bucket|sum|count)$/.test(name)) say('ends as the parts of a histogram do')
  const unit = units.find(each => name.includes(`_${each}`))
  if (unit && !new RegExp(`_${unit}(_total)?$`).test(name)) say('its unit is not at the end')
  if (name.includes('timestamp') && !name.endsWith('_timestamp_seconds')) say('a moment is in seconds since 1970')
  return problems
}

function lintSamples({ name, type, samples }: Family): string[] {
  const allowed = (suffixes[type] ?? ['']).map(suffix => `${name}${suffix}`)
  const seen = new Set<string>()
  return samples.flatMap(({ name: own, labels, value }) => {
    const key = `${own} ${JSON.stringify(Object.entries(labels).toSorted())}`
    const problems: string[] = []
    if (!allowed.includes(own)) problems.push(`${own} is none of ${name}`)
    if (seen.has(key)) problems.push(`${key} is there twice`)
    seen.add(key)
    for (const label of Object.keys(labels)) {
      if (!/^[a-z]+(_[a-z]+)*$/.test(label)) problems.push(`${name}: ${label} is no label of ours`)
      if (['job', 'instance'].includes(label)) problems.push(`${name}: ${label} is Prometheus' own`)
    }
    if (type !== 'gauge' && !(value >= 0)) problems.push(`${key} is ${value}`)
    return problems
  })
}
