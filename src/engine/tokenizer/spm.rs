//! SentencePiece as llama.cpp runs it: the best-scored neighbours merge first.
