/** None of the machine's own settings of a librarian: what a program's run gets in addition. */
export const cleanEnvironment: Readonly<Record<string, undefined>> = Object.fromEntries(
  Object.keys(process.env)
    .filter(name => /^librarian_/i.test(name))
    .map(name => [name, undefined]),
)
