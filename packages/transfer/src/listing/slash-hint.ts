/** For whoever named a directory or a prefix where a file was wanted. */
export const SLASH_HINT = 'A URL that ends with / stands for what lies below it.'
