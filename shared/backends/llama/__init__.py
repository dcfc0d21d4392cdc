"""What the llama.cpp backend is made of: its parameters, its requests and the loaded model."""
