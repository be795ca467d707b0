// Lessons: eight states of the page, each with a few sentences and something to try.

/** What the page begins with if its address says nothing. */
const OPENING = { data: "spirals", layers: [16, 16], activation: "tanh", optimizer: "momentum" };

const LESSONS = [
  {
    title: "A single unit",
    text: [
      "A unit multiplies each input by a weight, adds the products and a bias, and bends the sum. Look at its tile: it splits the plane along a straight line and answers more strongly the farther a point lies from that line. Its two weights turn the line, its bias shifts it.",
      "Two clouds can be told apart by one line, so one unit is enough. Start the training, and watch the line find its place between them.",
    ],
    tries: [{ text: "Give the same unit a disk in a ring. No straight line separates those, and it does little better than guessing.", state: { data: "circles" } }],
    state: { data: "gauss", layers: [1], activation: "tanh", learning_rate: 0.1, batch_size: 32 },
  },
  {
    title: "Why a hidden layer",
    text: [
      "Here the classes lie across from each other, and there is no hidden layer: the answer is a weighted sum of x and y, so its border is a straight line. Start the training. The loss stays near 0.69, which is what guessing costs, and the accuracy stays near one half.",
      "With hidden units, the network first makes new features of the inputs, one line each, and then decides by those.",
    ],
    tries: [{ text: "Add a hidden layer of four units, and train again. Each tile shows one line; together they make four squares.", state: { layers: [4] } }],
    state: { data: "xor", layers: [], activation: "tanh", learning_rate: 0.3, batch_size: 16 },
  },
  {
    title: "Why not all zeros",
    text: [
      "All weights begin at zero here. Every hidden unit then answers 0 to everything, and the gradient of each weight is a product with such a zero. Start the training, and look at the chart of gradients: those of the weights are zero, and they stay zero. Nothing is learned, however long you wait.",
      "First weights have to differ, so that units can become different, and they have to be of the right size, so that signals neither fade nor explode.",
    ],
    tries: [{ text: "Begin with the usual random weights instead, and see the gradients come to life.", state: { initializer: "usual" } }],
    state: { data: "circles", layers: [8], activation: "tanh", initializer: "zeros", learning_rate: 0.1, batch_size: 32 },
  },
  {
    title: "Too small, right, too large a learning rate",
    text: [
      "The gradient says which way is down, the learning rate how far to go. With 0.001 each step is so short that the loss hardly moves: the direction is right, but you would wait all day.",
      "The curve of each run stays in the chart when you begin another, so you can compare them.",
    ],
    tries: [
      { text: "Take 0.1: the loss falls fast and settles.", state: { learning_rate: 0.1 } },
      { text: "Take 30: steps leap across the valley, the loss jumps about, and the network never settles.", state: { learning_rate: 30 } },
    ],
    state: { data: "circles", layers: [8], activation: "tanh", learning_rate: 0.001, batch_size: 32 },
  },
  {
    title: "Overfitting, and what helps",
    text: [
      "A hundred rows train here, they are blurred, and the network has more than a thousand weights. It first learns what all rows share. Then it begins to learn the blur: the training loss goes on falling, while the loss on the rows that only check it turns and rises. The verdict below calls that overfitting.",
      "Look at the border: it bends around single dots.",
    ],
    tries: [
      { text: "More rows: 625 instead of 125. That helps most: overfitting begins later, and costs less.", state: { rows: 625 } },
      { text: "A weight decay of 1 pulls weights towards zero: the border becomes smooth, and the validation loss rises far less.", state: { decay: 1 } },
      { text: "A dropout of 0.5 silences half of the units in each step, so that none can rely on another.", state: { dropout: 0.5 } },
    ],
    state: { data: "gauss", rows: 125, spread: 0.45, layers: [32, 32], activation: "relu", optimizer: "adamw", learning_rate: 0.01, batch_size: 16 },
  },
  {
    title: "Dead units",
    text: [
      "A ReLU passes on what is above zero, and answers 0 to all the rest. If a large step pushes a unit so far that its sum is below zero for every row, its gradient is zero, too, and it never comes back: it is dead. Start the training. The learning rate is too high, and soon some tiles have a dashed frame; the page names those units below.",
    ],
    tries: [
      { text: "Take a leaky ReLU, which lets a little through below zero, so that a gradient remains. No unit dies, though with this rate the network still leaps about.", state: { activation: "leaky_relu" } },
      { text: "Keep the ReLU, and take a rate of 0.1: no unit dies, and the disk is found.", state: { learning_rate: 0.1 } },
    ],
    state: { data: "circles", layers: [8, 8], activation: "relu", learning_rate: 2, batch_size: 16 },
  },
  {
    title: "Noise and batch size",
    text: [
      "Each step looks at four rows only. They point roughly downhill, not exactly, so the way down is a zigzag. Look at the loss of each step, and at the validation loss: they jump.",
      "A large batch points more exactly, but takes longer to compute, and an epoch has fewer steps. Both ways lead down, and a little noise does no harm.",
    ],
    tries: [
      { text: "Take batches of 32 rows: fewer steps in an epoch, each in a better direction.", state: { batch_size: 32 } },
      { text: "Take all 500 rows in one step: the curve is smooth, but an epoch is a single step, so it needs many.", state: { batch_size: 512 } },
    ],
    state: { data: "circles", spread: 0.12, layers: [8], activation: "tanh", learning_rate: 0.3, batch_size: 4 },
  },
  {
    title: "Reading the first layer's weights",
    text: [
      "The inputs are the pixels of handwritten digits, so the weights of a unit in the first layer are a picture as well: red where ink raises its sum, blue where ink lowers it. At first they are noise. Train for half a dozen epochs: weight decay wears the noise away, and what remains is what the digits taught: strokes, gaps and loops.",
      "Draw a digit, or let the page show one, and watch the answer while the network learns.",
    ],
    tries: [
      { text: "Leave out the weight decay: the network learns as well, but its pictures stay grainy. Noise where no digit has ink does no harm, so nothing removes it.", state: { decay: 0 } },
      { text: "Leave it out, and begin with very small weights: then all that you see has been learned.", state: { decay: 0, initializer: "small_normal" } },
    ],
    state: { data: "digits", layers: [24], activation: "relu", learning_rate: 0.1, batch_size: 32, decay: 0.03 },
  },
];
