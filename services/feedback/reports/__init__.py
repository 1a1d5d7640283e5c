"""Reports that govern: made of figures by pure functions, told in words by rules, written as HTML, Word and Excel."""
