/** What commander cannot do itself: getm's flags of two letters. */

const twoLetterFlags: Readonly<Record<string, string>> = {
  '-cs': '--checksum',
  '-ca': '--checksum-algorithm',
}

/** The arguments with `-cs X`, `-cs=X`, `-ca X` and `-ca=X` spelt out; what follows `--` stays as it is. */
export function normaliseArguments(args: readonly string[]): string[] {
  const end = args.indexOf('--')
  return args.map((arg, index) => {
    if (end !== -1 && index > end) return arg
    const [flag, ...value] = arg.split('=')
    const long = twoLetterFlags[flag!]
    return long === undefined ? arg : [long, ...value].join('=')
  })
}

/** The first argument that is no flag: global flags take no values. `help X` means X. */
export function commandNameIn(args: readonly string[]): string | undefined {
  const words = args.filter(arg => !arg.startsWith('-'))
  return words[0] === 'help' ? words[1] : words[0]
}
