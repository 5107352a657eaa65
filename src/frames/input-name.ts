/** What the inputs of a query are called in its SQL. */
export const inputName = (index: number): string => `sheaf in ${index}`;
