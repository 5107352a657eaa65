/** What built-ins of DaphneDSL are for, by families: the words of docs/daphne-reference.md, whose signatures the built-ins say themselves. */

export interface About {
  /** What it does, as a sentence without its end. */
  readonly text: string;
  /** Where Sheaf goes beyond DAPHNE, or differs from it on purpose. */
  readonly differs?: string;
  /** How those that take any number of arguments are called. */
  readonly call?: string;
}

type Family = Readonly<Record<string, string | About>>;

const DECLARED = 'works; DAPHNE has the name, and no kernel';

const grouped = (text: string): About => ({
  text: `${text}: of all elements; of each row (\`axis\` 0) or column (1), which is constant; or of each of \`numGroups\` groups of rows, whose numbers are the second argument`,
  differs: `groups: ${DECLARED}`,
});

const outer = (text: string, differs?: string): About => ({
  text: `${text}, of each element of a column with each of a row`,
  ...(differs === undefined ? {} : { differs }),
});

const join = (text: string): About => ({ text, differs: DECLARED });

const rows = 'one row for each image, channel after channel, row after row';

export const FAMILIES: Readonly<Record<string, Family>> = {
  'Made of nothing': {
    fill: 'A matrix that has the value everywhere',
    rand: {
      text: 'Uniform numbers from `min` to `max`, which have one type; so large a part as `sparsity` says is not 0; seed -1 takes another one each time',
      differs: 'a seed gives the numbers that DAPHNE gives',
    },
    sample: '`size` numbers from 0 up to `range`, which is left out; with replacement a number may come twice',
    seq: '`from`, `from + inc` and so on, up to `to`, which is included; `inc` is 1 if it is left out. Away from `to` there are none',
    diagMatrix: 'A square matrix with a column on its diagonal',
  },
  'What is known of an object': {
    nrow: 'How many rows it has',
    ncol: 'How many columns it has',
    ncell: 'How many elements or cells it has',
    sparsity: 'Which part of the elements is not 0: as the compiler estimates it, and counted where it cannot',
    typeOf: 'Its type, as `print` writes it',
    isSymmetric: 'Whether a square matrix is its own transpose',
  },
  'Element by element': {
    minus: 'The negative, as `-x`',
    abs: 'The size without the sign',
    sign: '-1, 0 or 1',
    exp: 'e to the power of it',
    ln: 'The natural logarithm; of what is negative an error',
    sqrt: 'The square root; of what is negative an error',
    sin: 'The sine',
    cos: 'The cosine',
    tan: 'The tangent',
    asin: 'The inverse of the sine, for -1 to 1; an error for others',
    acos: 'The inverse of the cosine, for -1 to 1; an error for others',
    atan: 'The inverse of the tangent',
    sinh: 'The hyperbolic sine',
    cosh: 'The hyperbolic cosine',
    tanh: 'The hyperbolic tangent',
    round: 'The nearest integer, halves away from 0; the type stays',
    floor: 'The integer below; the type stays',
    ceil: 'The integer above; the type stays',
    isNan: '1 where it is not a number, and 0 elsewhere, in its own type',
    lower: 'With small letters, of ASCII',
    upper: 'With capital letters, of ASCII',
  },
  'Two of them, element by element': {
    pow: '`lhs ^ rhs`, in the type of both',
    mod: 'What is left of a division, with the sign of `lhs`; of integers by 0 the least one, as C++ has it',
    log: 'The logarithm of `lhs` to the base `rhs`',
    min: 'The lesser one',
    max: 'The greater one',
    concat: 'One text behind the other, as `+` of strings; numbers become texts',
  },
  'Each with each': {
    outerAdd: outer('Sums'),
    outerSub: outer('Differences'),
    outerMul: outer('Products'),
    outerDiv: outer('Quotients'),
    outerPow: outer('Powers'),
    outerLog: outer('Logarithms'),
    outerMod: outer('What is left of divisions'),
    outerMin: outer('The lesser ones'),
    outerMax: outer('The greater ones'),
    outerAnd: outer('1 where both are not 0'),
    outerOr: outer('1 where one of both is not 0'),
    outerEq: outer('1 where both are equal'),
    outerNeq: outer('1 where both are not equal'),
    outerLt: outer('1 where the left one is less'),
    outerLe: outer('1 where the left one is not greater'),
    outerGt: outer('1 where the left one is greater'),
    outerGe: outer('1 where the left one is not less'),
    outerConcat: outer('Texts, one behind the other', DECLARED),
  },
  'Many become one': {
    sum: grouped('The sum, in the type of the elements'),
    aggMin: grouped('The least one'),
    aggMax: grouped('The greatest one'),
    mean: grouped('The mean, a float'),
    var: grouped('The variance (divided by n), a float'),
    stddev: grouped('The standard deviation (divided by n), a float'),
    idxMin: 'Where the least one is, of each row (`axis` 0) or column (1): the first place, from 0',
    idxMax: 'Where the greatest one is, of each row (`axis` 0) or column (1): the first place, from 0',
    count: { text: 'How many rows each of `numGroups` groups has, once for each column', differs: DECLARED },
    cumSum: 'Sums so far, down each column',
    cumProd: 'Products so far, down each column',
    cumMin: 'The least ones so far, down each column',
    cumMax: 'The greatest ones so far, down each column',
  },
  'Other places': {
    transpose: 'Rows become columns, as `t`',
    t: 'Rows become columns',
    reshape: 'The same elements, row by row, in another shape',
    cbind: 'Side by side, in the more general type of both; of two frames all columns',
    rbind: 'One below the other, in the more general type of both; of two frames, whose columns are the same',
    reverse: 'The last row first',
    order: {
      text: 'Rows sorted by columns (of frames by labels, too), each up (`true`) or down, equal ones as they came; or, if `indices`, where each was',
      call: 'order(arg: matrix \\| frame, column: scalar, ..., ascending: number, ..., indices: number)',
    },
  },
  'Linear algebra and tables': {
    syrk: '`t(arg) @ arg`',
    gemv: '`t(lhs) @ rhs`, of a column `rhs`',
    solve: 'x of `lhs @ x = rhs`; an error if `lhs` is singular',
    eigen: 'Eigenvalues and eigenvectors of a symmetric matrix, in the order in which DAPHNE has them',
    diagVector: 'The diagonal of a square matrix, as a column',
    lowerTri: 'What is below the diagonal, and on it with `diag`; as ones without `values`',
    upperTri: 'What is above the diagonal, and on it with `diag`; as ones without `values`',
    replace: 'Elements that equal `pattern` (nan, too) become `replacement`',
    ctable: {
      text: 'How often each pair of positions comes, or the sum of its weights; beyond a shape that is given pairs do not count. Of four arguments the last two are the shape, and -1 is a length to be found out',
      differs: 'the weight may be a column with one for each pair',
    },
  },
  'Neural networks': {
    affine: { text: '`inputData @ weightData` and the bias', differs: 'DAPHNE needs a GPU for it' },
    biasAdd: `A number for each channel is added; images are ${rows}`,
    relu: 'What is negative becomes 0',
    softmax: 'Each row as probabilities',
    conv2d: `Images with each filter over them, and the height and width of what comes out; images are ${rows}`,
    conv2d_backward_filter: 'The gradient of `conv2d` by its filters',
    conv2d_backward_data: 'The gradient of `conv2d` by its images',
    avg_pool2d: 'The mean in each window, and the height and width of what comes out',
    max_pool2d: 'The greatest one in each window, and the height and width of what comes out',
    avg_pool2d_backward: 'The gradient of `avg_pool2d`',
    max_pool2d_backward: 'The gradient of `max_pool2d`',
    batch_norm2d: 'Each channel with its mean and variance taken out, times `gamma`, plus `beta`',
    batch_norm2d_backward: 'The gradients of it by the images, by `gamma` and by `beta`',
  },
  Preparation: {
    oneHot:
      'Codes as columns with a 1 among zeros: `info` says of each column how many there are for it; -1 leaves it as it is, and 0 leaves it out',
    recode: 'Codes from 0 for the values of a column, as they come or in their order, and what each code stands for',
    bin: 'Into which of `numBins` bins of one width each number falls, from `min` to `max`, which are the least and the greatest one if they are left out',
    quantize: 'f32 as steps from 0 to 255 between `min` and `max`, of the type ui8',
    map: 'A function of the script, of each element; it gives the type that it takes',
  },
  Frames: {
    createFrame: {
      text: 'A frame of columns, which are called `col_0` and so on without labels',
      call: 'createFrame(column: matrix, ..., label: string, ...)',
    },
    setColLabels: {
      text: 'The same frame with other labels, one for each column',
      call: 'setColLabels(arg: frame, label: string, ...)',
    },
    setColLabelsPrefix: 'The same frame with `prefix.` before each label, instead of what was before its point',
    innerJoin:
      'Rows of both whose keys are equal, in the order of the left side; `numRowRes`, a guess, changes nothing',
    leftOuterJoin: join(
      'The same, and rows of the left side without a partner, with 0, nan and empty texts beside them',
    ),
    fullOuterJoin: join('The same, and at the end those of the right side without a partner'),
    semiJoin: 'Keys of the left side that have a partner, and in which rows they are',
    antiJoin: join('Keys of the left side that have none, and in which rows they are'),
    cartesian: 'Each row of the left side with each of the right side',
    groupJoin: {
      text: 'For each key of the left side the sum of `rhsAgg` on the right side, and in which row it is',
      differs: 'in the order in which DAPHNE has it, which is that of a hash table',
    },
    groupSum: {
      text: 'Sums of the last column for each combination of the others, sorted by them',
      call: 'groupSum(arg: frame, key: string, ..., sum: string)',
    },
    intersect: join('Rows that are in both, each once; columns have the same types'),
    merge: join('Rows that are in one of both, each once'),
    except: join('Rows that are in the left one alone, each once'),
    registerView: 'Makes a frame known to `sql`, by a constant name',
    sql: 'The result of a query, which is constant; what is wrong with it shows before the script runs (exit code 2)',
  },
  Lists: {
    createList: {
      text: 'A list of matrices whose elements have one type',
      call: 'createList(elem: matrix, ...)',
    },
    length: 'How many matrices a list has',
    append: 'The list with one more at its end; the list itself stays as it is',
    remove: 'The list without the matrix at a place, from 0, and that matrix',
  },
  'Files and output': {
    print: 'Writes to standard output, or to standard error; with the end of a line, unless a scalar is to have none',
    readMatrix: {
      text: 'The matrix in a file; [Files](daphne-files.md) says which',
      differs: 'a file without `.meta` is read, if it says itself what it has',
    },
    readFrame: {
      text: 'The frame in a file; [Files](daphne-files.md) says which',
      differs: 'a file without `.meta` is read, if it says itself what it has',
    },
    write: 'A file with it, and `.meta` beside it; the extension of its name says how',
    writeMatrix: 'The same',
    writeFrame: 'The same',
    readCsv: { text: 'Numbers of a CSV file with another delimiter, of a shape that is given', differs: DECLARED },
    openFile: { text: 'A file, for `readMatrix`, `readFrame` or `close`; it has to be there', differs: DECLARED },
    close: { text: 'Nothing: a file is closed after each read', differs: DECLARED },
    openDevice: { text: 'Refused: there are no storage devices here' },
    openFileOnTarget: { text: 'Refused: there are no storage devices here' },
  },
  'The system': {
    stop: 'Ends the script with exit code 3 and the message',
    now: 'Nanoseconds since 1970',
    startProfiling: { text: 'Nothing', differs: 'there are no hardware counters here; the scripts run all the same' },
    stopProfiling: { text: 'Nothing', differs: 'there are no hardware counters here; the scripts run all the same' },
    receiveFromNumpy: { text: "Refused: it reads the memory of a Python process; `runScript`'s inputs are for that" },
    saveDaphneLibResult: {
      text: 'Refused: it writes into the memory of a Python process; what a script assigns comes back from `runScript`',
    },
  },
};

export const aboutOf = (entry: string | About): About => (typeof entry === 'string' ? { text: entry } : entry);
