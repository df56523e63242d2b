/** Enumerations that travel as numbers (librarian 2): inside they are names, on the wire numbers. */
import { z } from 'zod'

export interface NamedNumbers<Numbers extends Readonly<Record<string, number>>> {
  /** For requests: takes numbers only, no names and no digits in quotes; gives the name. */
  readonly asked: z.ZodType<keyof Numbers & string, Numbers[keyof Numbers]>
  /** For answers: takes the name or the number; gives the number. */
  readonly told: z.ZodType<Numbers[keyof Numbers], (keyof Numbers & string) | Numbers[keyof Numbers]>
  /** The name of a number; undefined for any other number. */
  nameOf(number: number): (keyof Numbers & string) | undefined
}

export function namedNumbers<const Numbers extends Readonly<Record<string, number>>>(
  numbers: Numbers,
): NamedNumbers<Numbers> {
  type Name = keyof Numbers & string
  type Value = Numbers[keyof Numbers]
  const names = Object.keys(numbers) as Name[]
  const nameOf = (number: number): Name | undefined => names.find(name => numbers[name] === number)
  const value: z.ZodType<number, number> = z.literal(Object.values(numbers))
  const description = names.map(name => `${numbers[name]} ${name}`).join(', ')
  return {
    asked: value.meta({ description }).transform(number => nameOf(number)!) as unknown as z.ZodType<Name, Value>,
    told: z
      .union([z.enum(names), value])
      .transform(given => (typeof given === 'string' ? numbers[given as Name] : given))
      .pipe(value.meta({ description })) as unknown as z.ZodType<Value, Name | Value>,
    nameOf,
  }
}
