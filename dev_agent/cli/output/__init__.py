"""How an answer leaves the program: one interface (`output.Output`), one file per variant.

`human` writes for people, `json` for programs. Both take the same `page.Page` and the same `Reporter`
events, so no command knows which one it talks to. Colour, width and live display are decided once, in
`terminal`.
"""
