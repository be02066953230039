"""What agencies run beside the platform: own applications, which reach it by HTTP alone."""
