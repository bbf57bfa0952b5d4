"""Pure: the words, the rules, the cost model, the advice. Reads no file and no clock."""
