/** What must hold of a Dockerfile of ours, whoever changes it. */

interface Instruction {
  readonly line: number
  readonly name: string
  readonly text: string
}

const secretName = /(?:password|passwd|secret|token|api_?key|private_?key|credential)\w*\s*[= ]/i

/** A line for each rule that is broken: `LINE: what`. */
export function lintDockerfile(text: string): string[] {
  const instructions = parse(text)
  const stages = stagesOf(instructions)
  const last = stages.at(-1) ?? []
  return [
    ...instructions.flatMap(problemsOfLine),
    ...stages.flatMap(problemsOfOrder),
    ...problemsOfUser(last),
    ...demand(last, 'HEALTHCHECK', /"node"/, 'must ask the program itself'),
    ...demand(last, 'ENTRYPOINT', /^\["node",/, 'must be in JSON form, so that signals reach the program'),
    ...demand(last, 'VOLUME', /"\/tmp"/, 'must name what is written, /tmp among it'),
    ...demand(last, 'LABEL', /org\.opencontainers\.image\.version=/, 'must tell the release'),
  ]
}

/** Continued lines joined; comments left out. */
function parse(text: string): Instruction[] {
  const found: Instruction[] = []
  let joined = ''
  let start = 0
  for (const [at, raw] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(raw)) continue
    if (joined === '') start = at + 1
    joined += raw.replace(/\\$/, ' ')
    if (raw.endsWith('\\')) continue
    const [, name = '', rest = ''] = /^\s*(\S+)\s*(.*)$/.exec(joined) ?? []
    found.push({ line: start, name: name.toUpperCase(), text: rest.trim() })
    joined = ''
  }
  return found
}

function stagesOf(instructions: readonly Instruction[]): Instruction[][] {
  const stages: Instruction[][] = []
  for (const each of instructions) {
    if (each.name === 'FROM') stages.push([])
    stages.at(-1)?.push(each)
  }
  return stages
}

function problemsOfLine({ line, name, text }: Instruction): string[] {
  const problems: string[] = []
  const must = (holds: boolean, what: string) => holds || problems.push(`${line}: ${name} ${what}`)
  if (name === 'FROM') must(/^\S+:(?!latest\b)\S+/.test(text), 'must name its image by a tag that is not latest')
  if (name === 'ENV' || name === 'ARG') must(!secretName.test(`${text} `), 'must hold no secret: anybody can read it')
  if (name === 'RUN') {
    must(!/\b(curl|wget)\b[^|&;]*\|/.test(text), 'must not run what it fetches')
    must(!/\bsudo\b/.test(text), 'must not use sudo')
    must(!/\bnpm (i|install|add)\b/.test(text), 'must install by the lock file: npm ci')
    must(
      !/\bapt-get install\b/.test(text) || /--no-install-recommends/.test(text),
      'must install nothing but what it names',
    )
    must(!/\bapt-get install\b/.test(text) || /rm -rf \/var\/lib\/apt\/lists/.test(text), 'must leave no package lists')
  }
  must(name !== 'ADD', 'fetches and unpacks by itself: use COPY')
  return problems
}

/** Dependencies before sources, or every change of a source fetches all of them again. */
function problemsOfOrder(stage: readonly Instruction[]): string[] {
  const installs = stage.findIndex(({ name, text }) => name === 'RUN' && /\bnpm ci\b/.test(text))
  const all = stage.findIndex(({ name, text }) => name === 'COPY' && /^\.\s/.test(text))
  if (installs === -1 || all === -1 || installs < all) return []
  return [`${stage[all]!.line}: COPY of everything must come after npm ci`]
}

function problemsOfUser(stage: readonly Instruction[]): string[] {
  const user = stage.findLast(({ name }) => name === 'USER')
  if (!user) return ['0: USER must be set in the last stage: it would be root']
  const [uid, gid] = user.text.split(':')
  const isNumber = /^[1-9]\d*$/.test(uid ?? '') && /^[1-9]\d*$/.test(gid ?? '')
  return isNumber
    ? []
    : [`${user.line}: USER must be two numbers other than 0, so that a cluster sees that it is not root`]
}

function demand(stage: readonly Instruction[], name: string, form: RegExp, what: string): string[] {
  const found = stage.findLast(each => each.name === name)
  if (found && form.test(found.text)) return []
  return [`${found?.line ?? 0}: ${name} ${what}`]
}
