/* never ends
