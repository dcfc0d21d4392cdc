"""What a server's keeper needs: is it alive, can it serve, what does it do, and how it ends without losing runs."""
